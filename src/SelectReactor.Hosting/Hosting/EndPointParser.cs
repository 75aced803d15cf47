using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hosting;

/// <summary>End points as they stand in configuration.</summary>
internal static class EndPointParser
{
    private const string UnixPrefix = "unix:";

    /// <summary>Null if the text is no end point.</summary>
    public static EndPoint? TryParse(string text, bool isServer)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            return Unix(text[UnixPrefix.Length..]);
        }

        int colon = text.LastIndexOf(':');
        if (colon <= 0
            || !ushort.TryParse(
                text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            || (port == 0 && !isServer))
        {
            return null;
        }

        string host = text[..colon];
        if (host is ['[', .. var inner, ']'])
        {
            return IPAddress.TryParse(inner, out IPAddress? v6) && v6.AddressFamily == AddressFamily.InterNetworkV6
                ? new IPEndPoint(v6, port)
                : null;
        }

        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            // An IPv6 address without brackets: its last group is not a port.
            return address.AddressFamily == AddressFamily.InterNetwork ? new IPEndPoint(address, port) : null;
        }

        return isServer ? Local(host, port) : new DnsEndPoint(host, port);
    }

    // The system has a limit on its length.
    private static UnixDomainSocketEndPoint? Unix(string path)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private static IPEndPoint? Local(string host, int port) => host switch
    {
        "*" => new IPEndPoint(IPAddress.IPv6Any, port),
        "localhost" => new IPEndPoint(IPAddress.Loopback, port),
        _ => null,
    };
}
