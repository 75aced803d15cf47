using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>Whatever a user does in whichever callback, the promises hold.</summary>
public sealed class CallbackMatrixTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly ListLogger _logger = new();
    private readonly ScriptedHandler _acted = new();
    private ScriptedHandler _subject = null!;
    private ScriptedHandler _other = null!;
    private Reactor _reactor = null!;
    private Listener _listener = null!;
    private ReactorTimer _idleTimer = null!;
    private int _effects;
    private int _actions;

    public enum Where
    {
        OnConnected,
        OnReadable,
        OnWritable,
        OnInputEnded,
        OnClosed,
        Timer,
        Post,
        EventHandler,
    }

    public enum What
    {
        CloseItself,
        AbortItself,
        CloseOther,
        AbortOther,
        WriteToOther,
        Stop,
        AddTimer,
        CancelTimer,
        Post,
        Listen,
        Connect,
        DisposeListener,
        Dispose,
    }

    [SetUp]
    public void Prepare()
    {
        _logger.Entries.Clear();
        _subject = new ScriptedHandler();
        _other = new ScriptedHandler();
        _effects = _actions = 0;
        _reactor = new Reactor(Options(logger: _logger));
        int handlers = 0;
        _listener = _reactor.Listen(AnyPort, _ => handlers++ switch
        {
            0 => _other,
            1 => _subject,
            _ => _acted,
        });
        _idleTimer = _reactor.Schedule(TimeSpan.FromHours(1), static () => { });
    }

    [TearDown]
    public void End()
    {
        _listener.Dispose();
        _reactor.Dispose();
    }

    [Test]
    public void EveryActionInEveryCallback_IsAllowed([Values] Where where, [Values] What what)
    {
        Arrange(where, () =>
        {
            _actions++;
            Act(what);
        });
        using var otherPeer = Peer.Connect(_listener.LocalEndPoint);
        RunUntil(_reactor, () => _other.IsConnected);
        using var peer = Peer.Connect(_listener.LocalEndPoint);
        Provoke(where, peer);

        RunWhile(() => _actions == 0);
        for (int i = 0; i < 10; i++)
        {
            RunWhile(static () => false);
        }

        _reactor.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That(_actions, Is.EqualTo(1));
            Assert.That(_effects, Is.EqualTo(what is What.AddTimer or What.Post or What.Connect ? 1 : 0));
            Assert.That(
                _logger.Entries.Where(static e => e.Level > LogLevel.Debug && e.Exception is not null),
                Is.Empty,
                "nothing escaped");
            AssertBalanced(_subject);
            AssertBalanced(_other);
        });
    }

    private static void AssertBalanced(ScriptedHandler handler)
    {
        Assert.That(handler.Events, Is.Empty.Or.EqualTo(handler.Events.Order(Comparer<string>.Create(static (a, b) =>
            Rank(a).CompareTo(Rank(b))))));
        Assert.That(handler.CloseReasons, Has.Count.EqualTo(handler.Connections.Count));

        static int Rank(string name) => name switch { "OnConnected" => 0, "OnClosed" => 2, _ => 1 };
    }

    private void Arrange(Where where, Action act)
    {
        switch (where)
        {
            case Where.OnConnected:
                _subject.Connected = _ => act();
                break;
            case Where.OnReadable:
                _subject.Readable = connection =>
                {
                    ScriptedHandler.ReadAll(connection);
                    act();
                };
                break;
            case Where.OnWritable:
                _subject.Connected = static connection => connection.TryWrite(new byte[6_000_000]);
                _subject.Writable = _ => act();
                break;
            case Where.OnInputEnded:
                _subject.InputEnded = connection =>
                {
                    act();
                    connection.Close();
                };
                break;
            case Where.OnClosed:
                _subject.Closed = (_, _) => act();
                break;
            case Where.Timer:
                _subject.Connected = _ => _reactor.Schedule(TimeSpan.Zero, act);
                break;
            case Where.Post:
                _subject.Connected = _ => _reactor.Post(act);
                break;
            case Where.EventHandler:
                _subject.Connected = _ => RegisterRaw(act);
                break;
        }
    }

    private static void Provoke(Where where, Peer peer)
    {
        switch (where)
        {
            case Where.OnReadable:
                peer.Send("x"u8);
                break;
            case Where.OnInputEnded:
                peer.EndOutput();
                break;
            case Where.OnClosed:
                peer.Reset();
                break;
            case Where.OnWritable:
                peer.Socket.ReceiveBufferSize = 8_000_000;
                _ = Task.Run(peer.ReceiveToEnd); // Its end is the test's, whichever way.
                break;
        }
    }

    private void Act(What what)
    {
        switch (what)
        {
            case What.CloseItself:
                _subject.Connection.Close();
                break;
            case What.AbortItself:
                _subject.Connection.Abort();
                break;
            case What.CloseOther:
                _other.Connection.Close();
                break;
            case What.AbortOther:
                _other.Connection.Abort();
                break;
            case What.WriteToOther:
                _other.Connection.TryWrite("from another's callback"u8);
                break;
            case What.Stop:
                _reactor.Stop();
                break;
            case What.AddTimer:
                _reactor.Schedule(TimeSpan.Zero, () => _effects++);
                break;
            case What.CancelTimer:
                _idleTimer.Cancel();
                break;
            case What.Post:
                _reactor.Post(() => _effects++);
                break;
            case What.Listen:
                _reactor.Listen(AnyPort, _acted);
                break;
            case What.Connect:
                _reactor.ConnectAsync(_listener.LocalEndPoint, new ScriptedHandler { Connected = _ => _effects++ });
                break;
            case What.DisposeListener:
                _listener.Dispose();
                break;
            case What.Dispose:
                _reactor.Dispose();
                break;
        }
    }

    private void RegisterRaw(Action act)
    {
        var pair = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Dgram,
            System.Net.Sockets.ProtocolType.Udp);
        var handle = new SocketHandle(pair);
        var handler = new Mock<IEventHandler>();
        handler.Setup(static h => h.OnReady(It.IsAny<SelectionKey>())).Callback<SelectionKey>(key =>
        {
            key.Cancel();
            handle.Close();
            act();
        });
        _reactor.Register(handle, Interest.Write, handler.Object);
    }

    private void RunWhile(Func<bool> condition)
    {
        try
        {
            RunUntil(_reactor, () => !condition(), "the callback");
            _reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }
        catch (ObjectDisposedException)
        {
            Assert.That(_actions, Is.EqualTo(1), "only an action disposes it");
        }
    }
}
