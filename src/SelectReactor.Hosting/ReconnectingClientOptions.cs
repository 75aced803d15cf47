using System.Net;

namespace SelectReactor;

/// <summary>The options of a client that <c>AddReconnectingClient</c> adds. Set them in code or bind them to
/// configuration.</summary>
public sealed class ReconnectingClientOptions
{
    /// <summary>Where to connect, as text: <c>127.0.0.1:7007</c>, <c>[::1]:7007</c>, <c>example.com:7007</c> or
    /// <c>unix:/run/echo.sock</c>.</summary>
    public string? EndPoint { get; set; }

    /// <summary>Where to connect, in code. If it is set, <see cref="EndPoint"/> does not count.</summary>
    public EndPoint? ConnectTo { get; set; }

    /// <summary>When to connect again, and how, with the options of the connections.</summary>
    public ReconnectOptions Reconnect { get; set; } = new();

    /// <summary>Whether the health check <c>ready</c> fails while this client has no connection. Default:
    /// false.</summary>
    public bool IsRequired { get; set; }
}
