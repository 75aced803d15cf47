using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>Real sockets of the operating system: the default.</summary>
internal sealed class SocketHandleFactory : IHandleFactory
{
    public static SocketHandleFactory Instance { get; } = new();

    public Handle CreateStream(AddressFamily family) => Create(family, SocketType.Stream, ProtocolType.Tcp);

    public Handle CreateListener(AddressFamily family) => Create(family, SocketType.Stream, ProtocolType.Tcp);

    public Handle CreateDatagram(AddressFamily family) => Create(family, SocketType.Dgram, ProtocolType.Udp);

    public Handle CreateSpare(AddressFamily family) => Create(family, SocketType.Stream, ProtocolType.Tcp);

    private static SocketHandle Create(AddressFamily family, SocketType type, ProtocolType protocol) =>
        SocketHandle.OfNew(new Socket(
            family, type, family == AddressFamily.Unix ? ProtocolType.Unspecified : protocol));
}
