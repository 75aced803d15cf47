using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>Real sockets of the operating system: the default.</summary>
internal sealed class SocketHandleFactory : IHandleFactory
{
    public static SocketHandleFactory Instance { get; } = new();

    public Handle CreateStream(AddressFamily family) => Create(family);

    public Handle CreateListener(AddressFamily family) => Create(family);

    private static SocketHandle Create(AddressFamily family) => SocketHandle.OfNew(new Socket(
        family,
        SocketType.Stream,
        family == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp));
}
