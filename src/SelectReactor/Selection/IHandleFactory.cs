using System.Net.Sockets;

namespace SelectReactor;

/// <summary>
/// Makes the handles of a reactor, so that nothing else opens a socket. Replace it in <see cref="ReactorOptions"/> to
/// run on another kind of network. Called on the reactor's thread.
/// </summary>
public interface IHandleFactory
{
    /// <summary>A new non-blocking stream handle, neither bound nor connected.</summary>
    /// <exception cref="SocketException">The system has no descriptor left or does not know the family.</exception>
    Handle CreateStream(AddressFamily family);

    /// <summary>A new non-blocking handle to bind and listen on.</summary>
    /// <exception cref="SocketException">The system has no descriptor left or does not know the family.</exception>
    Handle CreateListener(AddressFamily family);

    /// <summary>A new non-blocking handle for datagrams, neither bound nor connected: UDP for IPv4 and IPv6. The
    /// default implementation says that this kind of network has no datagrams.</summary>
    /// <exception cref="NotSupportedException">The network has no datagrams.</exception>
    /// <exception cref="SocketException">The system has no descriptor left or does not know the family.</exception>
    Handle CreateDatagram(AddressFamily family) =>
        throw new NotSupportedException($"{GetType().Name} has no datagrams: it does not override CreateDatagram.");

    /// <summary>
    /// A handle that only occupies a descriptor. A listener keeps one and closes it when the process has no descriptor
    /// left, so that it can accept and reset the clients that wait. The default implementation makes a stream handle.
    /// </summary>
    /// <param name="family">The family of the listener.</param>
    /// <returns>The handle; null if handles of this kind use up no descriptors.</returns>
    /// <exception cref="SocketException">The system has no descriptor left.</exception>
    Handle? CreateSpare(AddressFamily family) => CreateStream(family);

    /// <summary>
    /// Takes over a socket that somebody else has made: a connected one for <c>Adopt</c>, or one to listen on. It
    /// becomes non-blocking, and a linger time is removed. The default implementation makes a
    /// <see cref="SocketHandle"/>.
    /// </summary>
    /// <param name="socket">A stream socket. The handle owns it from now on.</param>
    /// <exception cref="ObjectDisposedException"><paramref name="socket"/> is closed.</exception>
    Handle Adopt(Socket socket) => new SocketHandle(socket);
}
