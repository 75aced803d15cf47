using System.Formats.Tar;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>
/// The file of a Unix-domain socket (unix(7)). It outlives a server that was killed, and then nobody can bind to its
/// path until it is deleted.
/// </summary>
internal static class UnixSocketFile
{
    /// <summary>Deletes the file of an end point if it is a socket at which nobody listens. Anything else stays:
    /// ordinary files, pipes, devices, folders, links.</summary>
    /// <remarks>One race remains. A server that has bound its socket and does not listen yet looks abandoned, and so
    /// does one that took the path over after we had asked. Two servers that start on one path at the same moment can
    /// meet it.</remarks>
    /// <param name="endPoint">The end point.</param>
    /// <param name="createProbe">Makes a handle of the same kind as the socket, to ask by connecting.</param>
    /// <returns>Whether it was deleted.</returns>
    public static bool TryRemoveAbandoned(EndPoint endPoint, Func<AddressFamily, Handle> createProbe)
    {
        // A path that begins with @ or a zero byte names a socket that is not in the file system.
        if (endPoint is not UnixDomainSocketEndPoint
            || endPoint.ToString() is not { Length: > 0 } path
            || path[0] is '@' or '\0'
            || !IsSocket(path)
            || !IsRefused(endPoint, createProbe))
        {
            return false;
        }

        File.Delete(path);
        return true;
    }

    /// <summary>Whether a path names a socket, which .NET has no direct way to ask. Opens nothing but ordinary empty
    /// files.</summary>
    private static bool IsSocket(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > 0)
        {
            return false;
        }

        if (OperatingSystem.IsWindows())
        {
            // There a socket is a reparse point that is no link.
            return (file.Attributes & FileAttributes.ReparsePoint) != 0 && file.LinkTarget is null;
        }

        // The writer of tar archives asks for the type of a file (lstat(2)) and knows all types but sockets, which it
        // refuses with an error of its own. Errors of the system have a number of the system as their HResult.
        try
        {
            using var archive = new TarWriter(Stream.Null);
            archive.WriteEntry(path, entryName: "probe");
            return false;
        }
        catch (IOException exception)
        {
            return exception.GetType() == typeof(IOException) && exception.HResult == new IOException().HResult;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsRefused(EndPoint endPoint, Func<AddressFamily, Handle> createProbe)
    {
        using Handle probe = createProbe(AddressFamily.Unix);
        return probe.Connect(endPoint) == SocketError.ConnectionRefused;
    }
}
