using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>An end point in messages for people. As an argument of a log message it is turned into text only if the
/// message is written.</summary>
internal readonly struct EndPointText(EndPoint? endPoint)
{
    public static implicit operator EndPointText(EndPoint? endPoint) => new(endPoint);

    /// <summary>The address; the host's name and port; or the path of a Unix-domain socket. One without a path, such
    /// as that of most clients, is "unix", since its own text is empty.</summary>
    public static string Of(EndPoint? endPoint) => endPoint switch
    {
        null => "unknown",
        DnsEndPoint name => $"{name.Host}:{name.Port}",
        UnixDomainSocketEndPoint => endPoint.ToString() is { Length: > 0 } path ? path : "unix",
        _ => endPoint.ToString() ?? endPoint.GetType().Name,
    };

    public override string ToString() => Of(endPoint);
}
