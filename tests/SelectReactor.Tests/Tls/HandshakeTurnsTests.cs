using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using SelectReactor.Tls;

namespace SelectReactor.Tests.Tls;

/// <summary>Handshakes that are given up: whatever happens at the same time, the engine is disposed of once.</summary>
public sealed class HandshakeTurnsTests
{
    private readonly List<string> _ends = [];
    private FakeEngine _engine = null!;
    private HandshakeTurns _turns = null!;

    [SetUp]
    public void Clear() => _ends.Clear();

    [TearDown]
    public void DisposeEngine() => _engine.Dispose();

    [Test]
    public void AbandonedInItsTurn_ItTells_WhenItIsOver()
    {
        Begin(static _ => true);
        Assert.That((_turns.Abandon(), _turns.IsOver, _engine.Disposals), Is.EqualTo((true, false, 0)));

        _engine.Finish();
        Assert.That((_turns.IsOver, _engine.Disposals, _ends.Count), Is.EqualTo((true, 1, 1)));
    }

    [Test]
    public void AbandonedWhileItWaits_ItIsOverAtOnce()
    {
        Begin(static _ => true);
        _engine.Wait();
        Assert.That(_turns.Abandon(), Is.False);

        Assert.That((_turns.IsOver, _engine.Cancellations, _engine.Disposals), Is.EqualTo((true, 1, 1)));
    }

    /// <summary>The reactor ends between the end of the turn and its message.</summary>
    [Test]
    public void WithoutAReactor_ItEndsOnce([Values] bool waits, [Values] bool isAbandonedBefore)
    {
        Begin(turns =>
        {
            if (isAbandonedBefore)
            {
                turns.Abandon();
            }

            return false;
        });
        if (waits)
        {
            _engine.Wait();
        }
        else
        {
            _engine.Finish();
        }

        Assert.That(_engine.Disposals, Is.EqualTo(1));
        Assert.That(_turns.Abandon(), Is.False);
        Assert.That((_engine.Disposals, _engine.Cancellations), Is.EqualTo((1, waits ? 1 : 0)));
    }

    private void Begin(Func<HandshakeTurns, bool> ended)
    {
        bool Ended(HandshakeTurns turns)
        {
            _ends.Add("ended");
            return ended(turns);
        }

        // With a context, the end of a task would continue on the pool.
        SynchronizationContext.SetSynchronizationContext(null);
        _engine = new FakeEngine();
        _turns = new HandshakeTurns(_engine, Ended, onLoop: true);
        _engine.Port = _turns;
        _turns.GiveTurn();
    }

    /// <summary>Computes until the test says what it does next.</summary>
    private sealed class FakeEngine : ITlsEngine
    {
        private readonly TaskCompletionSource _handshake = new();

        public int Disposals { get; private set; }

        public int Cancellations { get; private set; }

        public ICiphertextPort Port { get; set; } = null!;

        public SslProtocols Protocol => SslProtocols.None;

        public TlsCipherSuite CipherSuite => default;

        public SslApplicationProtocol ApplicationProtocol => default;

        public string ServerName => "";

        public X509Certificate2? PeerCertificate => null;

        public Task HandshakeAsync(CancellationToken token) => _handshake.Task;

        public void Wait() => Port.Wait();

        public void Finish() => _handshake.SetResult();

        public void Cancel()
        {
            Cancellations++;
            _handshake.TrySetException(new OperationCanceledException());
        }

        public void Dispose() => Disposals++;

        public void Resume() => throw new NotSupportedException();

        public bool TryFill() => throw new NotSupportedException();

        public int Read(Span<byte> buffer) => throw new NotSupportedException();

        public void Write(ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

        public void WriteCloseNotify() => throw new NotSupportedException();
    }
}
