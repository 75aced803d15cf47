using System.Net;
using System.Net.Sockets;

namespace SelectReactor.LoadTest.Servers;

/// <summary>Servers that send each datagram back to its sender.</summary>
internal static class DatagramServer
{
    /// <summary>The same for all of them. The system may give less.</summary>
    private const int ReceiveBufferBytes = 1024 * 1024;

    public static void RunOnSelect(int port, Action<EndPoint> listening) => Run(new ReactorOptions(), port, listening);

    public static void RunOnEpoll(int port, Action<EndPoint> listening) =>
        Run(new ReactorOptions().UseEpoll(), port, listening);

    /// <summary>One asynchronous loop over one socket, with the calls that allocate least.</summary>
    public static void RunAsynchronously(int port, Action<EndPoint> listening)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.ReceiveBufferSize = ReceiveBufferBytes;
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listening(socket.LocalEndPoint!);
        EchoAsync(socket).GetAwaiter().GetResult();
    }

    private static async Task EchoAsync(Socket socket)
    {
        byte[] buffer = new byte[64 * 1024];
        var sender = new SocketAddress(AddressFamily.InterNetwork);
        while (true)
        {
            int received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender);
            await socket.SendToAsync(buffer.AsMemory(0, received), SocketFlags.None, sender);
        }
    }

    private static void Run(ReactorOptions options, int port, Action<EndPoint> listening)
    {
        using var reactor = new Reactor(options);
        using DatagramSocket socket = reactor.BindDatagram(
            new IPEndPoint(IPAddress.Loopback, port),
            new EchoHandler(),
            new DatagramOptions { ReceiveBufferBytes = ReceiveBufferBytes });
        listening(socket.LocalEndPoint!);
        reactor.Run();
    }

    private sealed class EchoHandler : DatagramHandler
    {
        public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram) =>
            socket.TrySend(datagram, remote);
    }
}
