using System.Net;

namespace SelectReactor;

/// <summary>The options of a client that <c>AddClient</c> adds. Set them in code or bind them to
/// configuration.</summary>
public sealed class ClientOptions
{
    /// <summary>Where to connect, as text: <c>127.0.0.1:7007</c>, <c>[::1]:7007</c>, <c>example.com:7007</c> or
    /// <c>unix:/run/echo.sock</c>.</summary>
    public string? EndPoint { get; set; }

    /// <summary>Where to connect, in code. If it is set, <see cref="EndPoint"/> does not count.</summary>
    public EndPoint? ConnectTo { get; set; }

    /// <summary>How to connect, with the options of the connections.</summary>
    public ConnectOptions Connect { get; set; } = new();
}
