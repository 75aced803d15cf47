using System.Net;
using SelectReactor;

namespace UdpEcho;

/// <summary>Sends each datagram back to its sender. One that finds no room in the send buffer is dropped, as the
/// network might drop it.</summary>
internal sealed class EchoHandler : DatagramHandler
{
    public long Dropped { get; private set; }

    public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram)
    {
        if (socket.TrySend(datagram, remote) != DatagramSendResult.Sent)
        {
            Dropped++;
        }
    }
}
