using Microsoft.Extensions.Logging;
using SelectReactor;

namespace Application._1;

/// <summary>Answers each message. Each connection has one, in a scope of services of its own. All calls are on the
/// reactor's thread, so no field needs a lock.</summary>
public sealed partial class ServerHandler(MessageCounter counter, ILogger<ServerHandler> logger)
    : MessageHandler<string, string>(Protocol.Decoder, Protocol.Encoder)
{
    // Your protocol goes here. Don't block: the other connections wait.
    protected override void OnMessage(Connection connection, string message)
    {
        counter.Add();
        Send(connection, message);
    }

    // The host stops. What was sent before still arrives.
    public override void OnStopping(Connection connection) => connection.Close();

    public override void OnClosed(Connection connection, CloseReason reason) =>
        LogClosed(connection.Id, reason.Kind, counter.Count);

    [LoggerMessage(1, LogLevel.Information,
        "Connection {Id} ended ({Kind}). {Count} messages were answered so far, on all connections.")]
    private partial void LogClosed(long id, CloseKind kind, long count);
}
