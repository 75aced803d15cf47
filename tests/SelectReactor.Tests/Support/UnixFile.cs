using System.Net.Sockets;

namespace SelectReactor.Tests.Support;

/// <summary>Files of Unix-domain sockets.</summary>
public static class UnixFile
{
    public static string NewPath() => Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");

    /// <summary>Makes what a killed server leaves: a socket in the file system at which nobody listens.</summary>
    public static void Abandon(string path)
    {
        string other = $"{path}.2";
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            File.Move(path, other);
        }

        File.Move(other, path);
    }
}
