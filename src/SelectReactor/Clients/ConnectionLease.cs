using SelectReactor.Clients;

namespace SelectReactor;

/// <summary>
/// A connection that was rented from a <see cref="ConnectionPool"/>. Call <see cref="Return"/> when the exchange is
/// complete: then the next one uses the connection again. Without that, <see cref="Dispose"/> cuts it, so that after
/// an exception or a time-out nobody gets the answer to somebody else's question. Any thread.
/// </summary>
public sealed class ConnectionLease : IDisposable
{
    private readonly ConnectionPool _pool;
    private PoolMember? _member;

    internal ConnectionLease(ConnectionPool pool, PoolMember member)
    {
        _pool = pool;
        _member = member;
    }

    /// <summary>The connection. Its members belong to the reactor's thread. It has a handler of the pool: read and
    /// write with await.</summary>
    /// <exception cref="ObjectDisposedException">It was returned.</exception>
    public Connection Connection =>
        Volatile.Read(ref _member)?.Connection ?? throw new ObjectDisposedException(
            nameof(ConnectionLease), "The connection was returned to its pool, and may be rented by somebody else.");

    /// <summary>Gives the connection back for others. All answers must have been read. One that is broken, that has
    /// unread input or whose handler was exchanged is cut instead. Idempotent.</summary>
    public void Return() => End(isGood: true);

    /// <summary>Cuts the connection (RST), unless it was returned. Idempotent.</summary>
    public void Dispose() => End(isGood: false);

    private void End(bool isGood)
    {
        if (Interlocked.Exchange(ref _member, null) is { } member)
        {
            _pool.TakeBack(member, isGood);
        }
    }
}
