using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>What was attempted with an end point.</summary>
internal enum SocketStep
{
    Listen,
    BindBeforeConnect,
    Connect,
}

/// <summary>Turns errors of the system into exceptions whose messages name the attempt, the error, and what to do
/// about it where that is known.</summary>
internal static class SocketFailure
{
    private const int FirstUnprivilegedPort = 1024;

    /// <summary>An exception for an error.</summary>
    /// <param name="error">The error.</param>
    /// <param name="attempt">What failed, with its end point.</param>
    /// <param name="endPoint">Where.</param>
    /// <param name="step">When.</param>
    /// <param name="text">The error in words. Null for those of the system.</param>
    public static SocketException Create(
        SocketError error, string attempt, EndPoint endPoint, SocketStep step, string? text = null)
    {
        text = (text ?? TextOf(error, endPoint)).TrimEnd('.');
        return new SocketException((int)error, $"{attempt}: {text}.{AdviceFor(error, endPoint, step)}");
    }

    public static void ThrowOnError(SocketError error, string attempt, EndPoint endPoint, SocketStep step)
    {
        if (error != SocketError.Success)
        {
            throw Create(error, attempt, endPoint, step);
        }
    }

    // The runtime has no error of its own for a file that does not exist.
    private static string TextOf(SocketError error, EndPoint endPoint) =>
        endPoint is UnixDomainSocketEndPoint && error == SocketError.AddressNotAvailable
            ? "No such file or directory"
            : new SocketException((int)error).Message;

    private static string? AdviceFor(SocketError error, EndPoint endPoint, SocketStep step) => (error, step) switch
    {
        (SocketError.AddressAlreadyInUse, SocketStep.Listen) when IsFile(endPoint) =>
            " Another server listens there, or a file has this path: end that server, or choose another path.",
        (SocketError.AddressAlreadyInUse, SocketStep.Listen) =>
            " Another socket has this port: end its program, or choose another port (0 for any).",
        (SocketError.AddressAlreadyInUse, _) =>
            " Another socket has this local port: choose another one (0 for any).",
        (SocketError.AddressNotAvailable, SocketStep.Connect) when IsFile(endPoint) =>
            " Check the path, and whether the server is running.",
        (SocketError.AddressNotAvailable, _) when IsFile(endPoint) =>
            " Check that the folder of the path exists.",
        (SocketError.AddressNotAvailable, SocketStep.Connect) =>
            " Check the address. If it is right, no local port is free: reuse connections, or close fewer of them.",
        (SocketError.AddressNotAvailable, _) =>
            " This machine does not have the address: use one of its own, or IPAddress.Any for all of them.",
        (SocketError.AccessDenied, _) when IsFile(endPoint) =>
            " Check the permissions of the file and of its folder.",
        (SocketError.SocketError, _) when IsFile(endPoint) =>
            " Check that files can be made in the folder: it may be on a read-only file system.",
        (SocketError.AccessDenied, not SocketStep.Connect)
            when endPoint is IPEndPoint { Port: > 0 and < FirstUnprivilegedPort } =>
            " Ports below 1024 need a privilege: choose a higher port, or grant it (CAP_NET_BIND_SERVICE on Linux).",
        (SocketError.AccessDenied, not SocketStep.Connect) =>
            " The system does not permit it: another program may have reserved the port. Choose another one.",
        (SocketError.AccessDenied, _) =>
            " The system does not permit it: check its firewall and the address.",
        (SocketError.ConnectionRefused, _) =>
            " Nothing listens there: check the address and the port, and whether the server is running.",
        (SocketError.HostUnreachable or SocketError.NetworkUnreachable
            or SocketError.HostDown or SocketError.NetworkDown, _) =>
            " Check the address and the network connection.",
        (SocketError.TimedOut, _) =>
            " Check the address, and whether a firewall drops the packets.",
        (SocketError.HostNotFound or SocketError.NoData, _) =>
            " Check the name.",
        (SocketError.AddressFamilyNotSupported, _) =>
            $" This system does not support {endPoint.AddressFamily} addresses.",
        (SocketError.TooManyOpenSockets, _) =>
            " Raise the limit on open files, or open fewer connections.",
        _ => null,
    };

    private static bool IsFile(EndPoint endPoint) => endPoint is UnixDomainSocketEndPoint;
}
