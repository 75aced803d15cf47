using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore;

/// <summary>The messages of the transport. Those about connections have the numbers, the names and the level of
/// Kestrel's own transport, so that filters for that one work here.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(
        4, LogLevel.Debug, "Connection id \"{ConnectionId}\" paused.", EventName = "ConnectionPause")]
    public static partial void Paused(ILogger logger, string connectionId);

    [LoggerMessage(
        5, LogLevel.Debug, "Connection id \"{ConnectionId}\" resumed.", EventName = "ConnectionResume")]
    public static partial void Resumed(ILogger logger, string connectionId);

    [LoggerMessage(
        6, LogLevel.Debug, "Connection id \"{ConnectionId}\" received FIN.", EventName = "ConnectionReadFin")]
    public static partial void EndReceived(ILogger logger, string connectionId);

    [LoggerMessage(
        7,
        LogLevel.Debug,
        "Connection id \"{ConnectionId}\" sending FIN because: \"{Reason}\"",
        EventName = "ConnectionWriteFin")]
    public static partial void EndSent(ILogger logger, string connectionId, string reason);

    [LoggerMessage(
        8,
        LogLevel.Debug,
        "Connection id \"{ConnectionId}\" sending RST because: \"{Reason}\"",
        EventName = "ConnectionWriteRst")]
    public static partial void ResetSent(ILogger logger, string connectionId, string reason);

    [LoggerMessage(
        14, LogLevel.Debug, "Connection id \"{ConnectionId}\" communication error.", EventName = "ConnectionError")]
    public static partial void Failed(ILogger logger, string connectionId, Exception? exception);

    [LoggerMessage(
        19, LogLevel.Debug, "Connection id \"{ConnectionId}\" reset.", EventName = "ConnectionReset")]
    public static partial void Reset(ILogger logger, string connectionId);

    [LoggerMessage(
        40,
        LogLevel.Critical,
        "A loop of the transport has ended: the application stops, since it can't serve its clients any more.",
        EventName = "LoopEnded")]
    public static partial void LoopEnded(ILogger logger);

    [LoggerMessage(
        42,
        LogLevel.Error,
        "A handler blocks a loop of the transport: the host ends without it, after {Seconds} seconds.",
        EventName = "LoopBlocked")]
    public static partial void LoopBlocked(ILogger logger, double seconds);

    [LoggerMessage(
        43, LogLevel.Warning, "The configuration at \"{Path}\" {Fault}", EventName = "UnknownName")]
    public static partial void UnknownName(ILogger logger, string path, string fault);

    [LoggerMessage(
        41,
        LogLevel.Error,
        "The code after an await of a pipe threw an exception on the loop. The loop goes on.",
        EventName = "ContinuationFailed")]
    public static partial void ContinuationFailed(ILogger logger, Exception exception);
}
