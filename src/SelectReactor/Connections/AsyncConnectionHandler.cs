namespace SelectReactor;

/// <summary>
/// A handler written as one asynchronous method for each connection. It runs on the reactor's thread, and so does the
/// code after each of its awaits on the connection. Code that waits when the connection ends may run a moment after
/// <c>OnClosed</c>.
/// </summary>
public abstract class AsyncConnectionHandler : IConnectionHandler
{
    /// <summary>
    /// Serves the connection. When the task completes, the connection closes in good order; when it fails, the
    /// connection is cut with <see cref="CloseKind.HandlerFault"/>, and output that was not sent is lost. Reading says
    /// <c>IsCompleted</c> once the peer has ended its stream, and throws an <see cref="IOException"/> once the
    /// connection is cut, or closed by this side.
    /// </summary>
    protected abstract Task ServeAsync(Connection connection);

    /// <summary>Starts <see cref="ServeAsync"/>.</summary>
    public void OnConnected(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _ = RunAsync(connection);
    }

    /// <summary>Starts <see cref="ServeAsync"/> on a connection that was taken over.</summary>
    public void OnAttached(Connection connection) => OnConnected(connection);

    /// <summary>Does nothing: input waits for the next <c>ReadAsync</c>.</summary>
    public void OnReadable(Connection connection)
    {
    }

    /// <summary>Does nothing: reading says <c>IsCompleted</c>, and the connection closes when the task
    /// completes.</summary>
    public void OnInputEnded(Connection connection)
    {
    }

    private async Task RunAsync(Connection connection)
    {
        try
        {
            await ServeAsync(connection);
            connection.Close();
        }
        catch (Exception exception)
        {
            connection.Fault(exception, nameof(ServeAsync));
        }
    }
}
