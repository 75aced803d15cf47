namespace SelectReactor;

/// <summary>
/// A handler written as one asynchronous method for each connection. It runs on the reactor's thread, and so does the
/// code after each of its awaits on the connection. The other methods of a handler can be overridden beside it; they
/// are called while the asynchronous method waits. Code that waits when the connection ends may run a moment after
/// <see cref="ConnectionHandler.OnClosed"/>.
/// </summary>
public abstract class AsyncConnectionHandler : ConnectionHandler
{
    /// <summary>
    /// Serves the connection. When the task completes, the connection closes in good order. When it fails, the
    /// connection is cut with <see cref="CloseKind.HandlerFault"/>, and output that was not sent is lost. Reading says
    /// <c>IsCompleted</c> once the peer has ended its stream, and throws an <see cref="IOException"/> once the
    /// connection is cut, or closed by this side.
    /// </summary>
    /// <param name="connection">The connection, open.</param>
    /// <param name="closed">Cancelled when the connection is closed: for waits on other things, such as
    /// <c>Task.Delay</c>. Its end by this token, as any failure after the close, is no fault. The same as
    /// <see cref="Connection.ConnectionClosed"/>.</param>
    protected abstract Task ServeAsync(Connection connection, CancellationToken closed);

    /// <summary>Starts <see cref="ServeAsync"/>, which begins with what another handler would do here.</summary>
    public sealed override void OnConnected(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _ = RunAsync(connection);
    }

    /// <summary>Starts <see cref="ServeAsync"/> on a connection that was taken over.</summary>
    public sealed override void OnAttached(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _ = RunAsync(connection);
    }

    /// <summary>Does nothing: input waits for the next <c>ReadAsync</c>.</summary>
    public sealed override void OnReadable(Connection connection)
    {
    }

    /// <summary>Does nothing: reading says <c>IsCompleted</c>, and the connection closes when the task
    /// completes.</summary>
    public override void OnInputEnded(Connection connection)
    {
    }

    private async Task RunAsync(Connection connection)
    {
        try
        {
            Task task = ServeAsync(connection, connection.ConnectionClosed)
                ?? throw new InvalidOperationException($"{nameof(ServeAsync)} returned null, not a task.");
            await task.ConfigureAwait(
                ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            connection.BeginCallback(this);
            task.GetAwaiter().GetResult();
            connection.Close();
        }
        catch (Exception exception)
        {
            connection.Fault(exception, nameof(ServeAsync));
        }
    }
}
