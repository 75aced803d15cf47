using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Portability;

/// <summary>
/// A handler that echoes, unless a case gives it something else to do, and whose events a case can wait for on its own
/// thread. The events are those of the first connection.
/// </summary>
internal sealed class Recorder : IConnectionHandler
{
    private readonly TaskCompletionSource<Connection> _connected = New<Connection>();
    private readonly TaskCompletionSource<bool> _inputEnded = New<bool>();
    private readonly TaskCompletionSource<CloseReason> _closed = New<CloseReason>();

    public Action<Connection>? Connected { get; init; }

    public Action<Connection> Readable { get; init; } = Echo;

    public Action<Connection> InputEnded { get; init; } = static connection => connection.Close();

    /// <summary>The connection, once there is one.</summary>
    public Connection Connection => Wait.For(_connected.Task, "the connection");

    /// <summary>Why the connection closed, once it has.</summary>
    public CloseReason CloseReason => Wait.For(_closed.Task, "the close");

    /// <summary>Reads all there is.</summary>
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

    public static void Echo(Connection connection) => connection.Output.Write(ReadAll(connection));

    public void AwaitInputEnd() => Wait.For(_inputEnded.Task, "the end of the peer's stream");

    public void OnConnected(Connection connection)
    {
        _connected.TrySetResult(connection);
        Connected?.Invoke(connection);
    }

    public void OnReadable(Connection connection) => Readable(connection);

    public void OnInputEnded(Connection connection)
    {
        _inputEnded.TrySetResult(true);
        InputEnded(connection);
    }

    public void OnClosed(Connection connection, CloseReason reason) => _closed.TrySetResult(reason);

    private static TaskCompletionSource<T> New<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
