using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace SelectReactor.Selection;

/// <summary>
/// The sockets of users that belong to a connection or a listener of this process. A second owner would take bytes
/// from the first. Sockets that nobody outside the library has seen are not listed. Any thread.
/// </summary>
internal static class OwnedSockets
{
    private static readonly ConditionalWeakTable<Socket, object> _owned = [];
    private static readonly object _isOwned = new();

    /// <summary>Takes a socket over.</summary>
    /// <exception cref="ArgumentException">It has an owner.</exception>
    public static void Take(Socket socket)
    {
        if (!_owned.TryAdd(socket, _isOwned))
        {
            throw new ArgumentException(
                "The socket belongs to a connection or listener of this library already. Use that one.",
                nameof(socket));
        }
    }

    /// <summary>Notes that users can see a socket that has an owner.</summary>
    public static void Note(Socket socket) => _owned.TryAdd(socket, _isOwned);

    /// <summary>Gives a socket back to its user.</summary>
    public static void Release(Socket socket) => _owned.Remove(socket);
}
