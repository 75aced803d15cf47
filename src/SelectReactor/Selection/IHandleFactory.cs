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
}
