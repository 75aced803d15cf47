using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Datagrams;

/// <summary>
/// The sender of the datagram that was received last. <see cref="SocketAddress"/> compares whole buffers, whatever
/// their sizes say, and the system fills in a buffer for the longest address. So handlers get an object whose buffer
/// has the size of this address: it is equal to a copy, and to what an end point serializes to.
/// </summary>
internal sealed class SenderAddress(AddressFamily family)
{
    private readonly SocketAddress?[] _bySize = new SocketAddress?[SocketAddress.GetMaximumAddressSize(family) + 1];

    /// <summary>What a receive fills in.</summary>
    public SocketAddress Received { get; } = new(family, SocketAddress.GetMaximumAddressSize(family));

    /// <summary>The address. Used again for the next sender with an address of that size.</summary>
    public SocketAddress Exact()
    {
        if (Received.Size == Received.Buffer.Length)
        {
            return Received;
        }

        SocketAddress exact = _bySize[Received.Size] ??= Received.Copy();
        Received.Buffer.Span[..Received.Size].CopyTo(exact.Buffer.Span);
        return exact;
    }
}
