using SelectReactor;

namespace LineChat;

/// <summary>A client in the room.</summary>
internal sealed class Member(Connection connection, string name)
{
    /// <summary>Writes lines of text.</summary>
    public static LineEncoder Lines { get; } = new();

    public string Name { get; set; } = name;

    public Connection Connection => connection;

    /// <summary>Queues a line. It never waits: a member that does not read is cut when its queue is full, so that it
    /// neither holds the others nor takes memory without limit.</summary>
    public void Tell(string line) => connection.Send(Lines, line);
}
