using System.Buffers;

namespace SelectReactor.Tests.Support;

/// <summary>
/// A handler whose callbacks a test fills in as it needs them, and which keeps what happened, in order. Where a
/// callback is not filled in it does what <see cref="IConnectionHandler"/> does by default, and reads all input into
/// <see cref="Received"/>.
/// </summary>
public sealed class ScriptedHandler : IConnectionHandler
{
    public Action<Connection>? Connected { get; set; }

    public Action<Connection>? Readable { get; set; }

    public Action<Connection>? Writable { get; set; }

    public Action<Connection>? InputEnded { get; set; }

    public Action<Connection, CloseReason>? Closed { get; set; }

    /// <summary>The names of the callbacks that came, in order.</summary>
    public List<string> Events { get; } = [];

    public List<Connection> Connections { get; } = [];

    public List<CloseReason> CloseReasons { get; } = [];

    public List<byte> Received { get; } = [];

    public Connection Connection => Connections[^1];

    public bool IsConnected => Connections.Count > 0;

    public bool IsClosed => CloseReasons.Count > 0;

    public CloseReason CloseReason => CloseReasons[^1];

    /// <summary>Reads all there is and returns it.</summary>
    public static byte[] ReadAll(Connection connection)
    {
        if (!connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
        {
            return [];
        }

        byte[] bytes = result.Buffer.ToArray();
        connection.Input.AdvanceTo(result.Buffer.End);
        return bytes;
    }

    /// <summary>Looks at all there is and consumes nothing.</summary>
    public static void ExamineAll(Connection connection)
    {
        if (connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
        {
            connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    public static void Echo(Connection connection) => connection.Output.Write(ReadAll(connection));

    public void OnConnected(Connection connection)
    {
        Events.Add(nameof(OnConnected));
        Connections.Add(connection);
        Connected?.Invoke(connection);
    }

    public void OnReadable(Connection connection)
    {
        Events.Add(nameof(OnReadable));
        if (Readable is not null)
        {
            Readable(connection);
        }
        else
        {
            Received.AddRange(ReadAll(connection));
        }
    }

    public void OnWritable(Connection connection)
    {
        Events.Add(nameof(OnWritable));
        Writable?.Invoke(connection);
    }

    public void OnInputEnded(Connection connection)
    {
        Events.Add(nameof(OnInputEnded));
        if (InputEnded is not null)
        {
            InputEnded(connection);
        }
        else
        {
            connection.Close();
        }
    }

    public void OnClosed(Connection connection, CloseReason reason)
    {
        Events.Add(nameof(OnClosed));
        CloseReasons.Add(reason);
        Closed?.Invoke(connection, reason);
    }
}
