namespace SelectReactor;

/// <summary>
/// A handler to derive from: <see cref="IConnectionHandler"/> as virtual methods, with the same defaults. Prefer it to
/// the interface, since a misspelt method of the interface compiles and is never called, and a misspelt override does
/// not compile. All calls come on the reactor's thread.
/// </summary>
public abstract class ConnectionHandler : IConnectionHandler
{
    /// <inheritdoc cref="IConnectionHandler.OnConnected"/>
    public virtual void OnConnected(Connection connection)
    {
    }

    /// <inheritdoc cref="IConnectionHandler.OnAttached"/>
    public virtual void OnAttached(Connection connection)
    {
    }

    /// <inheritdoc cref="IConnectionHandler.OnReadable"/>
    public abstract void OnReadable(Connection connection);

    /// <inheritdoc cref="IConnectionHandler.OnWritable"/>
    public virtual void OnWritable(Connection connection)
    {
    }

    /// <inheritdoc cref="IConnectionHandler.OnInputEnded"/>
    public virtual void OnInputEnded(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        connection.Close();
    }

    /// <inheritdoc cref="IConnectionHandler.OnStopping"/>
    public virtual void OnStopping(Connection connection)
    {
    }

    /// <inheritdoc cref="IConnectionHandler.OnClosed"/>
    public virtual void OnClosed(Connection connection, CloseReason reason)
    {
    }
}
