using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>One listener whose connections a <see cref="ScriptedHandler"/> serves, and peers that connect to
/// it.</summary>
public abstract class ConnectionFixture(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly List<Peer> _peers = [];

    protected ScriptedHandler Handler { get; private set; } = null!;

    protected Connection Connection => Handler.Connection;

    protected Listener Listener { get; private set; } = null!;

    [SetUp]
    public void Listen()
    {
        Handler = new ScriptedHandler();
        Listener = Reactor.Listen(AnyPort, Handler);
    }

    [TearDown]
    public void ClosePeers()
    {
        _peers.ForEach(static peer => peer.Dispose());
        _peers.Clear();
        Listener.Dispose();
    }

    /// <summary>A peer whose connection is open and known to the handler.</summary>
    protected Peer Connect() => ConnectTo(Listener);

    /// <summary>As <see cref="Connect"/>, by a listener with options of the test's own.</summary>
    protected Peer Connect(ConnectionOptions options) =>
        ConnectTo(Reactor.Listen(AnyPort, Handler, new ListenerOptions { Connection = options }));

    /// <summary>Steps the loop until the handler has been told of the end, and returns the reason.</summary>
    protected CloseReason RunUntilClosed()
    {
        RunUntil(() => Handler.IsClosed, "OnClosed");
        return Handler.CloseReason;
    }

    /// <summary>Lets whatever is ready happen, a few times over.</summary>
    protected void RunSome()
    {
        for (int i = 0; i < 5; i++)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(2));
        }
    }

    /// <summary>Runs blocking code of a peer beside the loop.</summary>
    protected T RunBeside<T>(Func<T> peerCode) => RunUntil(Task.Run(peerCode));

    /// <summary>Lets a peer send everything and end its stream while it receives everything that comes back.</summary>
    protected byte[] Exchange(Peer peer, byte[] bytes) => RunBeside(() =>
    {
        var sending = Task.Run(() =>
        {
            peer.Send(bytes);
            peer.EndOutput();
        });
        byte[] all = peer.ReceiveToEnd();
        sending.Wait();
        return all;
    });

    private Peer ConnectTo(Listener listener)
    {
        int before = Handler.Connections.Count;
        var peer = Peer.Connect(listener.LocalEndPoint);
        _peers.Add(peer);
        RunUntil(() => Handler.Connections.Count > before, "OnConnected");
        return peer;
    }
}
