using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Soak;

/// <summary>A handler that counts what happens to its connections, and does what a scenario fills in. By default it
/// reads all input and closes when the peer has ended. It insists on the order of callbacks that is
/// promised.</summary>
internal sealed class Recorder : IConnectionHandler
{
    private readonly HashSet<Connection> _open = [];
    private readonly List<CloseReason> _reasons = [];
    private Connection? _last;
    private int _connections;
    private RequirementException? _broken;

    public Action<Connection>? Connected { get; init; }

    public Action<Connection>? Readable { get; init; }

    public Action<Connection>? Writable { get; init; }

    public Action<Connection>? InputEnded { get; init; }

    public Action<Connection, CloseReason>? Ended { get; init; }

    public int Connections => Checked(_connections);

    public int Closed => Checked(_reasons.Count);

    public long BytesReceived { get; private set; }

    public int InputsEnded { get; private set; }

    public IReadOnlyList<CloseReason> Reasons => _reasons;

    /// <summary>The latest connection.</summary>
    public Connection Connection => _last ?? throw new RequirementException("There was no connection.");

    /// <summary>The latest reason.</summary>
    public CloseReason Reason =>
        Closed > 0 ? _reasons[^1] : throw new RequirementException("No connection was closed.");

    /// <summary>Looks at all input and consumes none.</summary>
    public static void Hoard(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    /// <summary>Looks at all input and consumes one byte.</summary>
    public static void Sip(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            connection.Input.AdvanceTo(result.Buffer.GetPosition(Math.Min(1, result.Buffer.Length)));
        }
    }

    /// <summary>Reads all input and sends it back.</summary>
    public static void Echo(Connection connection) => connection.Output.Write(ReadAll(connection));

    /// <summary>Reads all input and returns it.</summary>
    public static byte[] ReadAll(Connection connection)
    {
        if (!connection.Input.TryRead(out ReadResult result))
        {
            return [];
        }

        byte[] bytes = result.Buffer.ToArray();
        connection.Input.AdvanceTo(result.Buffer.End);
        return bytes;
    }

    /// <summary>Aborts all that are open.</summary>
    public void Reset()
    {
        foreach (Connection connection in _open)
        {
            connection.Abort();
        }
    }

    public void OnConnected(Connection connection)
    {
        Expect(_open.Add(connection), "OnConnected comes once");
        _last = connection;
        _connections++;
        Connected?.Invoke(connection);
    }

    public void OnReadable(Connection connection)
    {
        Expect(_open.Contains(connection), "OnReadable comes between OnConnected and OnClosed");
        if (Readable is not null)
        {
            Readable(connection);
        }
        else if (connection.Input.TryRead(out ReadResult result))
        {
            BytesReceived += result.Buffer.Length;
            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }

    public void OnWritable(Connection connection)
    {
        Expect(_open.Contains(connection), "OnWritable comes between OnConnected and OnClosed");
        Writable?.Invoke(connection);
    }

    public void OnInputEnded(Connection connection)
    {
        Expect(_open.Contains(connection), "OnInputEnded comes between OnConnected and OnClosed");
        InputsEnded++;
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
        Expect(_open.Remove(connection), "OnClosed comes once, after OnConnected");
        _reasons.Add(reason);
        Ended?.Invoke(connection, reason);
    }

    // What a callback throws ends its connection and no more: it is thrown again where the scenario looks.
    private void Expect(bool condition, string what)
    {
        if (!condition)
        {
            _broken ??= new RequirementException($"It does not hold: {what}.");
        }
    }

    private int Checked(int count) => _broken is null ? count : throw _broken;
}
