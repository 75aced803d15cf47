using System.Net.Sockets;

namespace SelectReactor.Epoll;

/// <summary>Sockets of Linux that are used by system calls.</summary>
internal sealed class EpollHandleFactory : IHandleFactory
{
    public static EpollHandleFactory Instance { get; } = new();

    public Handle CreateStream(AddressFamily family) => Create(family, SocketType.Stream, ProtocolType.Tcp);

    public Handle CreateListener(AddressFamily family) => Create(family, SocketType.Stream, ProtocolType.Tcp);

    public Handle CreateDatagram(AddressFamily family) => Create(family, SocketType.Dgram, ProtocolType.Udp);

    public Handle Adopt(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return new EpollHandle(socket, isForeign: true);
    }

    private static EpollHandle Create(AddressFamily family, SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(family, type, family == AddressFamily.Unix ? ProtocolType.Unspecified : protocol);
        return new EpollHandle(socket, isForeign: false);
    }
}
