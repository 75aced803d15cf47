using Microsoft.Extensions.Logging;
using SelectReactor;

namespace HostedEcho;

/// <summary>Sends back what it receives. Each connection has one, with its own scope of services.</summary>
public sealed class EchoHandler(EchoCounter counter, ILogger<EchoHandler> logger) : ConnectionHandler
{
    public override void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out var result))
        {
            counter.Add(result.Buffer.Length);
            connection.Append(result.Buffer);
            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }

    // The host stops: the client is told by the end of the stream, after all that was echoed.
    public override void OnStopping(Connection connection) => connection.Close();

    public override void OnClosed(Connection connection, CloseReason reason) =>
        LogClosed(logger, connection.RemoteEndPoint, reason.Kind, counter.Bytes);

    private static readonly Action<ILogger, System.Net.EndPoint?, CloseKind, long, Exception?> _closed =
        LoggerMessage.Define<System.Net.EndPoint?, CloseKind, long>(
            LogLevel.Information, new EventId(1), "{Client} left ({Kind}); {Bytes} bytes were echoed so far.");

    private static void LogClosed(ILogger logger, System.Net.EndPoint? client, CloseKind kind, long bytes) =>
        _closed(logger, client, kind, bytes, null);
}
