using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>An end while input lies in the system that nobody has read: the system's close would be a reset, and the
/// peer would lose what it has not received.</summary>
public sealed class UnreadInputTests(SelectorKind selector) : ConnectionFixture(selector)
{
    /// <summary>The peer's system has room for all of it.</summary>
    private const int UnreadBytes = 30_000;

    /// <summary>More than the peer's system receives before its program reads, and less than both systems
    /// take.</summary>
    private const int AnswerBytes = 200_000;

    [Test]
    public void ThePeerReceivesAllThatTheSystemHasTaken(
        [Values("shutdown", "dispose", "linger zero")] string how, [Values] bool isPaused)
    {
        Handler.Connected = isPaused ? static connection => connection.PauseReading() : null;
        Handler.Readable = static _ => { };
        Peer peer = Connect(new ConnectionOptions
        {
            InputPauseThreshold = 1000,
            LingerTimeout = how == "linger zero" ? TimeSpan.Zero : Bound,
        });
        peer.Send(new byte[UnreadBytes]);
        byte[] answer = new byte[AnswerBytes];
        new Random(5).NextBytes(answer);
        Connection.TryWrite(answer);
        RunUntil(() => Connection.QueuedOutputBytes == 0, "the system takes the answer");

        switch (how)
        {
            case "shutdown":
                RunUntil(Reactor.ShutdownAsync(TimeSpan.Zero));
                break;
            case "dispose":
                Reactor.Dispose();
                break;
            default:
                Connection.Close();
                RunUntilClosed();
                Assert.That(Handler.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
                break;
        }

        Assert.That(peer.ReceiveToEnd().AsSpan().SequenceEqual(answer));
        CloseKind expected = how == "linger zero" ? CloseKind.Local : CloseKind.ReactorStopped;
        Assert.That(Handler.CloseReason.Kind, Is.EqualTo(expected));
        Assert.That(Handler.CloseReason.Error, Is.Null);
        Assert.That(Handler.Connection.Statistics.BytesReceived, Is.EqualTo(UnreadBytes));
    }

    [Test]
    public void WithOutputThatTheSystemHasNotTaken_TheEndIsAReset()
    {
        Handler.Connected = static connection => connection.PauseReading();
        Peer peer = Connect();
        peer.Send(new byte[UnreadBytes]);
        Connection.TryWrite(new byte[16_000_000]);
        Reactor.Dispose();

        Assert.That(peer.ReceiveToEnd, Throws.InstanceOf<SocketException>());
        Assert.That(Handler.CloseReason.UnsentBytes, Is.Positive);
    }

    [Test]
    public void TheLastWordOfAFailedOpening_Arrives()
    {
        using Listener listener = Reactor.Listen(
            AnyPort, Handler, new ListenerOptions { Steps = [static () => new LastWordStep()] });
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send(new byte[UnreadBytes]);
        RunUntil(() => listener.Refused == 1);

        Assert.That(peer.ReceiveToEnd(), Is.EqualTo("no"u8.ToArray()));
    }

    private sealed class LastWordStep : OpeningStep
    {
        public override string Name => "last word";

        public override TimeSpan TimeLimit => Bound;

        public override void Begin() => Sequence.Interest = Interest.Read;

        public override void OnReady(Interest ready)
        {
            Sequence.Opened.Handle.Send("no"u8, out _);
            Sequence.Fail(new IOException("no"), reset: false);
        }
    }
}
