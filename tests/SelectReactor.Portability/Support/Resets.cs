using System.Net.Sockets;

namespace SelectReactor.Portability;

/// <summary>
/// Whether this system tells a plain blocking socket, which knows nothing of the library, about its peer's reset. Wine
/// 8 does not: the receive after a reset returns 0 bytes as after an orderly end of stream, and only a send fails.
/// </summary>
internal static class Resets
{
    private static readonly Lazy<bool> _areReported = new(Try);

    public static bool AreReported => _areReported.Value;

    private static bool Try()
    {
        using Socket listener = Peer.Listen();
        using var peer = Peer.Connect(listener.LocalEndPoint!);
        using var receiver = Peer.Accept(listener);
        peer.Reset();
        receiver.Socket.Receive(new byte[1], SocketFlags.None, out SocketError error);
        if (error == SocketError.ConnectionReset)
        {
            return true;
        }

        Console.WriteLine(
            "note: this system does not tell a plain socket about a reset; cases of resets accept an end of stream");
        return false;
    }
}
