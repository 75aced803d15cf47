using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// The file that a Unix-domain socket made when it was bound. <see cref="Socket.Dispose()"/> deletes whatever has
/// that path by then, which may be the socket of another server.
/// </summary>
internal sealed class BoundFile
{
    private readonly string _path;
    private readonly DateTime _written;

    private BoundFile(string path)
    {
        _path = path;
        if (File.Exists(path))
        {
            _written = File.GetLastWriteTimeUtc(path);
        }
    }

    /// <summary>Whether the path names another file now. Nothing but making the file again changes the time of its
    /// last write, in steps of a few milliseconds at most.</summary>
    public bool WasReplaced => File.Exists(_path) && File.GetLastWriteTimeUtc(_path) != _written;

    /// <summary>The file that belongs to a bound end point now. Null if it has none.</summary>
    public static BoundFile? Of(EndPoint? endPoint) =>
        endPoint is UnixDomainSocketEndPoint
        && endPoint.ToString() is { Length: > 0 } path
        && path[0] is not ('@' or '\0')
            ? new BoundFile(Path.GetFullPath(path))
            : null;
}
