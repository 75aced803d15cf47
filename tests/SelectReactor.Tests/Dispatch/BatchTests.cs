using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>Two connections that are ready in the same tick, the first of which has something to say about the
/// second.</summary>
public sealed class BatchTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly List<Connection> _read = [];
    private ScriptedHandler _handler = null!;
    private Peer _first = null!;
    private Peer _second = null!;

    [SetUp]
    public void ConnectTwo()
    {
        _read.Clear();
        _handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, _handler);
        _first = Peer.Connect(listener.LocalEndPoint);
        _second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => _handler.Connections.Count == 2);
    }

    [TearDown]
    public void Disconnect()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [Test]
    public void AConnectionPausedByTheOther_IsNotReadUntilItResumes()
    {
        Read(static other => other.PauseReading());
        Reactor.RunOnce(TimeSpan.Zero);
        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_read, Has.Count.EqualTo(1));

        Other(_read[0]).ResumeReading();
        RunUntil(() => _read.Count == 2);

        Assert.That(_read, Is.EquivalentTo(_handler.Connections));
    }

    [Test]
    public void AConnectionAbortedByTheOther_IsNotReadAtAll()
    {
        Read(static other => other.Abort());
        Reactor.RunOnce(TimeSpan.Zero);
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_read, Has.Count.EqualTo(1));
        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(CloseKind.Aborted));
        Assert.That(_handler.Events[^1], Is.EqualTo("OnClosed"));
    }

    // Over loopback, what the peers have sent is there for the next tick, for both.
    private void Read(Action<Connection> onOther)
    {
        _handler.Readable = connection =>
        {
            _read.Add(connection);
            ScriptedHandler.ReadAll(connection);
            if (_read.Count == 1)
            {
                onOther(Other(connection));
            }
        };
        _first.Send("x"u8);
        _second.Send("x"u8);
    }

    private Connection Other(Connection connection) => _handler.Connections.Find(other => other != connection)!;
}
