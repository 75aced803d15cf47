using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Epoll.Tests;

[Platform("Linux")]
public sealed class UseEpollTests
{
    private static readonly IPEndPoint _anyPort = new(IPAddress.Loopback, 0);

    [Test]
    public void UseEpoll_SetsBoth_AndReturnsTheOptions()
    {
        var options = new ReactorOptions();

        Assert.That(options.UseEpoll(), Is.SameAs(options));

        using ISelector selector = options.SelectorFactory();
        using Handle handle = options.HandleFactory.CreateStream(AddressFamily.InterNetwork);
        Assert.That(selector, Is.InstanceOf<EpollSelector>());
        Assert.That(handle, Is.Not.InstanceOf<SocketHandle>());
    }

    [Test]
    public void UseEpoll_OfNothing_IsRefused() =>
        Assert.That(() => ((ReactorOptions)null!).UseEpoll(), Throws.ArgumentNullException);

    [Test]
    public void SelectSelector_RefusesTheseHandles_WithAHint()
    {
        using var reactor = new Reactor(
            new ReactorOptions { HandleFactory = new ReactorOptions().UseEpoll().HandleFactory });

        Assert.That(
            () => reactor.Listen(_anyPort, new Echo()),
            Throws.ArgumentException.With.Message.Contains("SelectorFactory"));
    }

    [Test]
    public void EitherKindOfHandle_IsServed([Values] bool own)
    {
        var options = new ReactorOptions { SelectorFactory = EpollSelector.Create };
        using var reactor = new Reactor(own ? options.UseEpoll() : options);
        using Listener listener = reactor.Listen(_anyPort, new Echo());
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint);
        client.Send([1, 2, 3]);
        for (int i = 0; i < 100 && client.Available < 3; i++)
        {
            reactor.RunOnce(TimeSpan.FromMilliseconds(200));
        }

        byte[] buffer = new byte[4];
        Assert.That(client.Available, Is.EqualTo(3));
        Assert.That(client.Receive(buffer), Is.EqualTo(3));
        Assert.That(buffer, Is.EqualTo(new byte[] { 1, 2, 3, 0 }));
    }

    [Test]
    public void Feature_IsTheSocket_OnTheReactorsThreadOnly()
    {
        using var reactor = new Reactor(new ReactorOptions().UseEpoll());
        var handler = new Echo();
        using Listener listener = reactor.Listen(_anyPort, handler);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint);
        for (int i = 0; i < 100 && handler.Connection is null; i++)
        {
            reactor.RunOnce(TimeSpan.FromMilliseconds(200));
        }

        Connection connection = handler.Connection!;
        Assert.That(
            () => Task.Run(connection.GetFeature<Socket>).GetAwaiter().GetResult(),
            Throws.InvalidOperationException);

        Socket socket = connection.GetFeature<Socket>()!;
        Assert.That(socket.RemoteEndPoint, Is.EqualTo(client.LocalEndPoint));
        Assert.That(connection.GetFeature<Socket>(), Is.SameAs(socket));
    }

    private sealed class Echo : ConnectionHandler
    {
        public Connection? Connection { get; private set; }

        public override void OnConnected(Connection connection) => Connection = connection;

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                connection.TryWrite(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }
}
