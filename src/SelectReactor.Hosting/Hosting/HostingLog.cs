using System.Net;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Hosting;

/// <summary>All messages of this package.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(1, LogLevel.Information, "The server \"{Server}\" listens on {EndPoint}.")]
    public static partial void Started(ILogger logger, string server, string endPoint);

    [LoggerMessage(2, LogLevel.Error, "The services of {Connection} failed while they were disposed of.")]
    public static partial void ScopeFault(ILogger logger, Connection connection, Exception exception);

    [LoggerMessage(3, LogLevel.Critical, "A loop of the reactors \"{Name}\" has ended. The host stops.")]
    public static partial void LoopEnded(ILogger logger, string name);

    [LoggerMessage(6, LogLevel.Error, "The client \"{Client}\" has given up and does not reconnect: {Error}")]
    public static partial void ClientGaveUp(ILogger logger, string client, string? error);

    [LoggerMessage(9, LogLevel.Information, "The client \"{Client}\" is connected: {Connection}.")]
    public static partial void ClientConnected(ILogger logger, string client, Connection connection);

    [LoggerMessage(
        10, LogLevel.Warning,
        "The client \"{Client}\" has lost {Connection} ({Reason}) after {Time}, and connects again in {Delay}.")]
    public static partial void ClientLost(
        ILogger logger, string client, Connection connection, CloseKind reason, TimeSpan time, TimeSpan delay);

    [LoggerMessage(
        EventId = 11,
        Message = "The client \"{Client}\" can't connect to {EndPoint}, and tries again in {Delay} (further "
            + "failures are logged at Debug): {Error}")]
    public static partial void ClientFailed(
        ILogger logger, LogLevel level, string client, EndPoint endPoint, TimeSpan delay, string error);

    [LoggerMessage(7, LogLevel.Warning, "The configuration at \"{Path}\" {Fault}")]
    public static partial void UnknownName(ILogger logger, string path, string fault);

    [LoggerMessage(4, LogLevel.Warning, "The host's time-out is over: the last {Count} connections are closed now.")]
    public static partial void DrainCut(ILogger logger, int count);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "The host's time-out is over: all connections are closed, but {Scopes} scopes of services are not disposed "
        + "of. The host waits for them for {Time}.")]
    public static partial void ScopesLeft(ILogger logger, int scopes, TimeSpan time);

    [LoggerMessage(
        5,
        LogLevel.Error,
        "The reactors \"{Name}\" do not end: {Loops} loops are blocked by a callback, and {Scopes} scopes of "
        + "services are not disposed of. The host stops without them.")]
    public static partial void DoesNotEnd(ILogger logger, string name, int loops, int scopes);
}
