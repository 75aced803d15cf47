namespace ApplicationNamespace;

using System.Net;
using Microsoft.Extensions.Logging;
using SelectReactor;

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
        LogClosed(connection.Id, connection.RemoteEndPoint, reason.Kind, counter.Count);

    [LoggerMessage(1, LogLevel.Information,
        "Connection {Id} of {Client} ended ({Kind}). {Count} messages were answered so far, on all connections.")]
    private partial void LogClosed(long id, EndPoint? client, CloseKind kind, long count);
}
