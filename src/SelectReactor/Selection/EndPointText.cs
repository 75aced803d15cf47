using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>End points in messages.</summary>
internal static class EndPointText
{
    /// <summary>The end point as text. A Unix-domain socket without a path, such as that of most clients, is "unix",
    /// since its own text is empty.</summary>
    public static string Of(EndPoint? endPoint) => endPoint?.ToString() switch
    {
        null => "unknown",
        "" when endPoint is UnixDomainSocketEndPoint => "unix",
        var text => text,
    };
}
