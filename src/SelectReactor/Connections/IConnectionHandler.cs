namespace SelectReactor;

/// <summary>
/// What you implement: the protocol of one connection, or of many that share the object. All calls come on the reactor's
/// thread, one after the other, and never one inside another for the same connection. An exception closes that connection
/// with <see cref="CloseKind.HandlerFault"/> and no other.
/// </summary>
/// <remarks>A loose mock of this interface by Moq skips the default bodies; set <c>CallBase = true</c> to have them.</remarks>
public interface IConnectionHandler
{
    /// <summary>The connection is open. First of all calls.</summary>
    void OnConnected(Connection connection)
    {
    }

    /// <summary>
    /// There is input that was not offered before: read it with one <c>connection.Input.TryRead</c> and say with
    /// <c>AdvanceTo</c> what you consumed and what you only examined. Called again when more arrives, and also when you
    /// consumed something and left bytes unexamined; not while a <c>ReadAsync</c> waits or reading is paused.
    /// </summary>
    void OnReadable(Connection connection);

    /// <summary>The output queue, which had reached its high-water mark, has fallen to the low one: write on.</summary>
    void OnWritable(Connection connection)
    {
    }

    /// <summary>
    /// The peer has ended its stream (FIN) and will send no more; what is unread can still be read, and reading says
    /// <c>IsCompleted</c>. Called once at most. The default closes; override it to stay half open and go on sending.
    /// </summary>
    void OnInputEnded(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        connection.Close();
    }

    /// <summary>The connection is gone. Called exactly once, and last, for each that had <see cref="OnConnected"/>.</summary>
    void OnClosed(Connection connection, CloseReason reason)
    {
    }
}
