using System.Net;

namespace SelectReactor;

/// <summary>The options of a pool that <c>AddConnectionPool</c> adds. Set them in code or bind them to
/// configuration.</summary>
public sealed class PoolOptions
{
    /// <summary>Where to connect, as text: <c>127.0.0.1:7007</c>, <c>[::1]:7007</c>, <c>example.com:7007</c> or
    /// <c>unix:/run/echo.sock</c>.</summary>
    public string? EndPoint { get; set; }

    /// <summary>Where to connect, in code. If it is set, <see cref="EndPoint"/> does not count.</summary>
    public EndPoint? ConnectTo { get; set; }

    /// <summary>The limits of the pool, and how to connect.</summary>
    public ConnectionPoolOptions Pool { get; set; } = new();
}
