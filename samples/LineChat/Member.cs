using System.Text;
using SelectReactor;

namespace LineChat;

/// <summary>A client in the room.</summary>
internal sealed class Member(Connection connection, string name)
{
    public string Name { get; set; } = name;

    public void Tell(string line) => Tell(Encode(line));

    /// <summary>Queues a line. It never waits: a member that does not read is cut when its queue is full, so that it
    /// neither holds the others nor takes memory without limit.</summary>
    public void Tell(ReadOnlySpan<byte> line)
    {
        if (!connection.TryWrite(line) && connection.State == ConnectionState.Open)
        {
            connection.Abort(
                CloseKind.LimitExceeded,
                new IOException($"{Name} reads too slowly: {connection.QueuedOutputBytes} bytes wait for it."));
        }
    }

    public static byte[] Encode(string line) => Encoding.UTF8.GetBytes(line + "\n");
}
