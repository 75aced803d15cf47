namespace SelectReactor;

/// <summary>
/// The protocol of one connection, or of many that share the object. You implement it, best by deriving from
/// <see cref="ConnectionHandler"/> or <see cref="AsyncConnectionHandler"/>. All calls come on the reactor's
/// thread, one after the other, and for the same connection never one inside another. An exception cuts that
/// connection with <see cref="CloseKind.HandlerFault"/>, and its output that was not sent is lost; others are not
/// affected.
/// </summary>
/// <remarks>A loose mock of this interface by Moq skips the default bodies; set <c>CallBase = true</c> to have
/// them.</remarks>
public interface IConnectionHandler
{
    /// <summary>The connection is open. This is the first call.</summary>
    void OnConnected(Connection connection)
    {
    }

    /// <summary>The handler has taken over an open connection from another one (<see cref="Connection.Handler"/>), in
    /// a later phase of the loop. Unexamined input is offered next, and an end of the peer's stream that was told
    /// before is told again.</summary>
    void OnAttached(Connection connection)
    {
    }

    /// <summary>
    /// New input has arrived. Read it with one <c>connection.Input.TryRead</c>, and tell <c>AdvanceTo</c> how much you
    /// consumed and how much you examined. Called again when more arrives, and when you consumed something and left
    /// bytes unexamined. Not called while a <c>ReadAsync</c> waits or reading is paused.
    /// </summary>
    void OnReadable(Connection connection);

    /// <summary>Writing may go on: the output queue had reached its high-water mark and has fallen to the low one, or
    /// it has room now for a <see cref="Connection.TryWrite(ReadOnlySpan{byte})"/> that was refused. Input that
    /// <see cref="OnReadable"/> left unexamined while the queue was above its mark is offered again
    /// afterwards.</summary>
    void OnWritable(Connection connection)
    {
    }

    /// <summary>
    /// The peer has ended its stream (FIN) and will send no more. Unread input can still be read, and reading says
    /// <c>IsCompleted</c>. Called at most once for each handler. The default closes; override it to go on sending.
    /// </summary>
    void OnInputEnded(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        connection.Close();
    }

    /// <summary>A shutdown of the reactor has begun (<see cref="Reactor.ShutdownAsync"/>), or a group takes it out of
    /// use (<see cref="ReactorGroup.DrainAsync"/>): finish what is under way, and close. A connection
    /// that is still open at the deadline is closed with <see cref="CloseKind.ReactorStopped"/>. Called once for each
    /// handler of an open connection. The default does nothing.</summary>
    void OnStopping(Connection connection)
    {
    }

    /// <summary>The connection is gone. Called exactly once, and last, for each that had
    /// <see cref="OnConnected"/>.</summary>
    void OnClosed(Connection connection, CloseReason reason)
    {
    }
}
