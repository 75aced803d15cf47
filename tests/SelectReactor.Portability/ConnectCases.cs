using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Portability;

/// <summary>Listening and connecting. Windows reports a failed attempt in the error list of select, Unix in the lists
/// of readers and writers.</summary>
internal static class ConnectCases
{
    private const int ManyAttempts = 100;

    public static Action[] All { get; } =
    [
        Connect_FromALocalAddress, Connect_ByHostName, Refused_SaysSo, Refused_AmongOthersThatConnect,
        NoAnswer_TimesOut, Cancelled_WhileConnecting, Listen_OnAPortInUse_IsRefused, Options_AreAccepted,
    ];

    private static void Connect_FromALocalAddress()
    {
        using var loop = new Loop();
        using Socket listener = Peer.Listen();
        var options = new ConnectOptions { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) };
        Task<Connection> connecting = loop.Reactor.ConnectAsync(listener.LocalEndPoint!, new Recorder(), options);
        using var peer = Peer.Accept(listener);
        Connection connection = Wait.For(connecting, "the connection");

        Check.Equal(peer.Socket.RemoteEndPoint, connection.LocalEndPoint, "the local address");
        Check.Equal(peer.Socket.LocalEndPoint, connection.RemoteEndPoint, "the remote address");
        peer.Echoes(Payload.Pattern(1000));
    }

    private static void Connect_ByHostName()
    {
        using var loop = new Loop();
        using Socket listener = Peer.Listen();
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        Task<Connection> connecting = loop.Reactor.ConnectAsync(new DnsEndPoint("localhost", port), new Recorder());
        using var peer = Peer.Accept(listener);
        Wait.For(connecting, "the connection");

        peer.Echoes(Payload.Pattern(1000));
    }

    private static void Refused_SaysSo()
    {
        using var loop = new Loop();
        using Socket closed = Peer.Bound();
        Task<Connection> connecting = loop.Reactor.ConnectAsync(closed.LocalEndPoint!, new Recorder());

        SocketException error = Check.Throws<SocketException>(() => Wait.For(connecting, "the refusal"));
        Check.Equal(SocketError.ConnectionRefused, error.SocketErrorCode, "the error");
        loop.Call(static reactor => Check.Equal(0, reactor.Connections.Count, "connections"));
    }

    private static void Refused_AmongOthersThatConnect()
    {
        using var loop = new Loop();
        using Socket listener = Peer.Listen(ManyAttempts);
        using Socket closed = Peer.Bound();
        Task<Connection>[] connecting =
        [
            .. Enumerable.Range(0, ManyAttempts).Select(
                i => loop.Reactor.ConnectAsync((i % 2 == 0 ? listener : closed).LocalEndPoint!, new Recorder())),
        ];
        var peers = new List<Peer>();
        try
        {
            for (int i = 0; i < ManyAttempts / 2; i++)
            {
                peers.Add(Peer.Accept(listener));
            }

            for (int i = 0; i < ManyAttempts; i += 2)
            {
                Wait.For(connecting[i], "the connection");
                SocketException error = Check.Throws<SocketException>(
                    () => Wait.For(connecting[i + 1], "the refusal"));
                Check.Equal(SocketError.ConnectionRefused, error.SocketErrorCode, "the error");
            }

            peers.ForEach(static peer => peer.Echoes("hi"u8));
        }
        finally
        {
            peers.ForEach(static peer => peer.Dispose());
        }
    }

    // A listener whose backlog is full answers nothing on Linux, and so under wine. Windows itself would refuse.
    private static void NoAnswer_TimesOut()
    {
        using var loop = new Loop();
        using var silent = new FullBacklog();
        var options = new ConnectOptions { Timeout = TimeSpan.FromMilliseconds(300) };
        Task<Connection> connecting = loop.Reactor.ConnectAsync(silent.Address, new Recorder(), options);

        Check.Throws<TimeoutException>(() => Wait.For(connecting, "the time-out"));
        loop.Call(static reactor => Check.Equal(0, reactor.Connections.Count, "connections"));
    }

    private static void Cancelled_WhileConnecting()
    {
        using var loop = new Loop();
        using var silent = new FullBacklog();
        using var cancellation = new CancellationTokenSource();
        Task<Connection> connecting = loop.Reactor.ConnectAsync(silent.Address, new Recorder(), cancellation.Token);
        loop.Call(static _ => { });
        cancellation.Cancel();

        Check.Throws<OperationCanceledException>(() => Wait.For(connecting, "the cancellation"));
    }

    // Windows would let two listeners share a port that is bound with SO_REUSEADDR.
    private static void Listen_OnAPortInUse_IsRefused()
    {
        using var loop = new Loop(new Recorder());

        SocketException error = Check.Throws<SocketException>(
            () => loop.Call(reactor => reactor.Listen(loop.Address, new Recorder())));
        Check.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode, "the error");
    }

    private static void Options_AreAccepted()
    {
        using var loop = new Loop();
        using Socket listener = Peer.Listen();
        var options = new ConnectOptions
        {
            Connection = new ConnectionOptions
            {
                KeepAliveTime = TimeSpan.FromSeconds(30),
                SendBufferBytes = 100_000,
                ReceiveBufferBytes = 100_000,
            },
        };
        Task<Connection> connecting = loop.Reactor.ConnectAsync(listener.LocalEndPoint!, new Recorder(), options);
        using var peer = Peer.Accept(listener);
        Wait.For(connecting, "the connection");

        peer.Echoes(Payload.Pattern(1000));
    }

    private sealed class FullBacklog : IDisposable
    {
        private const int Clients = 8;
        private readonly Socket _listener = Peer.Listen(backlog: 0);
        private readonly List<Socket> _clients = [];

        public FullBacklog()
        {
            for (int i = 0; i < Clients; i++)
            {
                var client =
                    new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                _clients.Add(client);
                try
                {
                    client.Connect(Address);
                }
                catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
                {
                    continue;
                }
            }
        }

        public EndPoint Address => _listener.LocalEndPoint!;

        public void Dispose()
        {
            _clients.ForEach(static client => client.Dispose());
            _listener.Dispose();
        }
    }
}
