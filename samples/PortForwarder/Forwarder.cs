using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using SelectReactor;

namespace PortForwarder;

/// <summary>
/// Connects each client to the target and copies both ways. What one side does, the other sees: bytes, the end of a
/// stream, a reset, and a reader that is slow.
/// </summary>
internal sealed class Forwarder(EndPoint target, Action<string> log) : AsyncConnectionHandler
{
    private static readonly ConnectionOptions _connection = new()
    {
        // Each direction waits for its own reader only: a client that sends first and reads later must not stop.
        PauseReadingWhenOutputIsFull = false,

        // It is for the two ends to lose patience with each other.
        WriteProgressTimeout = Timeout.InfiniteTimeSpan,

        // Both have ended their streams by then, so nothing can come that would need an answer.
        LingerTimeout = TimeSpan.Zero,

        // Notices ends that have vanished without a word.
        KeepAliveTime = TimeSpan.FromMinutes(1),
    };

    public static ListenerOptions ListenerOptions { get; } = new() { Connection = _connection };

    private static ConnectOptions ConnectOptions { get; } = new() { Connection = _connection };

    protected override async Task ServeAsync(Connection client, CancellationToken closed)
    {
        Connection server;
        try
        {
            server = await client.Reactor.ConnectAsync(target, ConnectOptions, closed);
        }
        catch (Exception error) when (error is SocketException or TimeoutException)
        {
            log(error.Message);
            client.Abort(error);
            return;
        }

        await Task.WhenAll(
            CopyAsync(client, server),
            CopyAsync(server, client),
            CutAfterAsync(client, server),
            CutAfterAsync(server, client));
    }

    private static async Task CopyAsync(Connection source, Connection destination)
    {
        while (true)
        {
            ReadResult result = await source.Input.ReadAsync();
            destination.Append(result.Buffer);
            source.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                destination.CloseOutput();
                return;
            }

            // Waits while the destination does not read. The source is then not read either, and TCP slows it down.
            await destination.Output.FlushAsync();
        }
    }

    // A stream that ends in good order is copied as such; whatever else ends a connection ends the other one as well.
    private static async Task CutAfterAsync(Connection connection, Connection other)
    {
        CloseReason reason = await connection.Completion;
        if (reason.Kind != CloseKind.PeerClosed)
        {
            other.Abort(reason.Error);
        }
    }
}
