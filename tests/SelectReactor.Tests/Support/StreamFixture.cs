using System.Net.Sockets;

namespace SelectReactor.Tests.Support;

/// <summary>Connections that a test uses as streams, with a blocking peer or with each other.</summary>
public abstract class StreamFixture(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly List<IDisposable> _owned = [];

    [TearDown]
    public void DisposeOwned()
    {
        _owned.ForEach(static owned => owned.Dispose());
        _owned.Clear();
    }

    /// <summary>Bytes that differ from place to place.</summary>
    protected static byte[] Noise(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>An accepted connection whose input waits until it is read, and its peer.</summary>
    protected (Connection Connection, Peer Peer) Accept(ConnectionOptions? options = null)
    {
        Connection? accepted = null;
        var handler = new ServeHandler(async connection =>
        {
            accepted = connection;
            await connection.Completion;
        });
        Listener listener = Own(Reactor.Listen(
            AnyPort, handler, new ListenerOptions { Connection = options ?? new ConnectionOptions() }));
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint));
        RunUntil(() => accepted is not null, "OnConnected");
        return (accepted!, peer);
    }

    /// <summary>An outgoing connection without a handler, and its peer.</summary>
    protected (Connection Connection, Peer Peer) Connect()
    {
        using Socket listener = Peer.Listen();
        Connection connection = RunUntil(Reactor.ConnectAsync(listener.LocalEndPoint!));
        return (connection, Own(Peer.Accept(listener)));
    }

    /// <summary>Runs code as a callback of the loop, until its task has completed.</summary>
    protected void RunOnLoop(Func<Task> code)
    {
        Task? task = null;
        Reactor.Post(() => task = code());
        RunUntil(() => task is { IsCompleted: true }, "the code on the loop");
        task!.GetAwaiter().GetResult();
    }

    /// <summary>Runs code as a callback of the loop.</summary>
    protected void RunOnLoop(Action code) => RunOnLoop(() =>
    {
        code();
        return Task.CompletedTask;
    });

    /// <summary>Lets whatever is ready happen, a few times over.</summary>
    protected void RunSome()
    {
        for (int i = 0; i < 5; i++)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(2));
        }
    }

    /// <summary>Steps the loop until nothing happens any more, for want of room or of input.</summary>
    protected void RunUntilQuiet()
    {
        int quiet = 0;
        RunUntil(
            () => (quiet = Reactor.RunOnce(TimeSpan.FromMilliseconds(5)) == 0 ? quiet + 1 : 0) == 3,
            "the loop is idle");
    }

    /// <summary>Runs blocking code of a peer beside the loop.</summary>
    protected T RunBeside<T>(Func<T> peerCode) => RunUntil(Task.Run(peerCode));

    protected T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}
