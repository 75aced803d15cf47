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
        var lines = new LineReader(connection.Input, MaxLineBytes);
        Member member = room.Join(connection);
        try
        {
            while (await lines.ReadAsync() is { } line && room.Handle(member, Printable(line)))
            {
                await Task.Delay(_pause, connection.Reactor.TimeProvider, closed);
            }
        }
        catch (InvalidDataException error)
        {
            member.Tell($"* Goodbye: {error.Message}");
            connection.Close(CloseKind.LimitExceeded, error);
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
