using System.Text;
using SelectReactor;

namespace LineChat;

/// <summary>The life of a client, from its first byte to its last: one asynchronous method each.</summary>
internal sealed class ChatHandler(ChatRoom room, Action<string> log) : AsyncConnectionHandler
{
    public const int MaxLineBytes = 1024;

    /// <summary>How many bytes may wait for a client that does not read them.</summary>
    public const int MaxQueuedBytes = 256 * 1024;

    /// <summary>A client that talks faster than this waits. Its lines then stay in the system's buffers, and TCP slows
    /// it down.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Bytes that are not UTF-8 become a replacement character: a client may have another encoding.</summary>
    private static readonly MessageDecoder<string> _lines =
        new LineDecoder(MaxLineBytes) { AcceptsUnterminatedEnd = true }
            .Select(static line => Encoding.UTF8.GetString(line));

    public static ListenerOptions Options { get; } = new()
    {
        Connection = new ConnectionOptions
        {
            MaxOutputBytes = MaxQueuedBytes,

            // Notices clients that have vanished without a word.
            KeepAliveTime = TimeSpan.FromMinutes(1),
        },
    };

    protected override async Task ServeAsync(Connection connection, CancellationToken closed)
    {
        log($"{connection.RemoteEndPoint} has connected.");
        Member member = room.Join(connection);
        try
        {
            await foreach (string line in connection.ReadMessagesAsync(_lines, closed))
            {
                if (!room.Handle(member, Printable(line)))
                {
                    break;
                }

                await Task.Delay(_pause, connection.Reactor.TimeProvider, closed);
            }
        }
        catch (InvalidDataException error)
        {
            // Thrown on, it closes the connection in good order.
            member.Tell($"* Goodbye: {error.Message}");
            throw;
        }
        finally
        {
            room.Leave(member);
        }
    }

    public override void OnStopping(Connection connection)
    {
        connection.TryWrite("* Goodbye: the server ends.\n"u8);
        connection.Close();
    }

    public override void OnClosed(Connection connection, CloseReason reason) =>
        log($"{connection.RemoteEndPoint} is gone: {reason.Error?.Message ?? reason.Kind.ToString()}");

    // Control characters could do things to the terminals of the others.
    private static string Printable(string line) => string.Concat(line.Where(static c => !char.IsControl(c)));
}
