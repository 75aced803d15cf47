using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>
/// A handler to derive from: <see cref="IDatagramHandler"/> as virtual methods, with the same defaults. Prefer it to
/// the interface, since a misspelt method of the interface compiles and is never called, and a misspelt override does
/// not compile. All calls come on the reactor's thread.
/// </summary>
public abstract class DatagramHandler : IDatagramHandler
{
    /// <inheritdoc cref="IDatagramHandler.OnReceived"/>
    public abstract void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram);

    /// <inheritdoc cref="IDatagramHandler.OnError"/>
    public virtual void OnError(DatagramSocket socket, SocketError error)
    {
    }

    /// <inheritdoc cref="IDatagramHandler.OnWritable"/>
    public virtual void OnWritable(DatagramSocket socket)
    {
    }

    /// <inheritdoc cref="IDatagramHandler.OnStopping"/>
    public virtual void OnStopping(DatagramSocket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        socket.Close();
    }

    /// <inheritdoc cref="IDatagramHandler.OnClosed"/>
    public virtual void OnClosed(DatagramSocket socket, CloseReason reason)
    {
    }
}
