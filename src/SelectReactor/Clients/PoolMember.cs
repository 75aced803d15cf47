namespace SelectReactor.Clients;

/// <summary>A connection of a pool, and its handler. The one who rents it reads with await; while it is idle, the
/// handler notices whatever makes it useless.</summary>
internal sealed class PoolMember(ConnectionPool pool) : ConnectionHandler
{
    /// <summary>Where it stands in the pool. Set by the pool.</summary>
    public enum Place
    {
        Connecting,
        Idle,
        Rented,

        /// <summary>The pool has let it go.</summary>
        Gone,
    }

    public Place At { get; set; }

    /// <summary>Ends the preparation that is under way. Null if there is none.</summary>
    public CancellationTokenSource? Preparation { get; set; }

    public Connection Connection { get; private set; } = null!;

    /// <summary>When it became idle, as a timestamp.</summary>
    public long IdleSince { get; set; }

    /// <summary>Whether it may be rented. The reactor's thread.</summary>
    public bool IsUsable => Connection.IsReusable && Connection.Handler == this;

    public override void OnConnected(Connection connection) => Connection = connection;

    // Input that nobody has asked for would be taken for the answer to the next request.
    public override void OnReadable(Connection connection) => VerifyIdle();

    public override void OnInputEnded(Connection connection) => VerifyIdle();

    private void VerifyIdle()
    {
        if (At == Place.Idle)
        {
            pool.Discard(this);
        }
    }
}
