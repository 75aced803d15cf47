using System.Diagnostics;
using System.Net;
using SelectReactor.Clients;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// Connections to one server for protocols of requests and responses: each is rented for an exchange, and used again
/// for later ones. Who rented last is given back first, so that those too many become idle and are closed. Callers
/// that must wait are served in their order. Its members may be used on any thread.
/// </summary>
/// <remarks>A connection is not handed out again if it is closed, if the loop has seen an end of its stream or an
/// error, if input is left in it, or if its lease ended without <see cref="ConnectionLease.Return"/>. A server may
/// still close a connection while a request is on its way: repeat those that may be repeated.</remarks>
[DebuggerDisplay("{ToString(),nq}")]
public sealed partial class ConnectionPool : IAsyncDisposable, IDisposable, IStoppable
{
    private readonly EndPoint _endPoint;
    private readonly ConnectionPoolOptions _options;
    private readonly ReactorCompletion<bool> _end;
    private readonly CancellationTokenSource _ending = new();
    private readonly Counts _counts = new();

    /// <summary>A pool with default options.</summary>
    /// <inheritdoc cref="ConnectionPool(Reactor, EndPoint, ConnectionPoolOptions)"/>
    public ConnectionPool(Reactor reactor, EndPoint endPoint)
        : this(reactor, endPoint, new ConnectionPoolOptions())
    {
    }

    /// <summary>A pool, which has no connections before one is rented. Any thread.</summary>
    /// <param name="reactor">The reactor that serves the connections.</param>
    /// <param name="endPoint">The address, or the host's name and the port.</param>
    /// <param name="options">The limits, and how to connect. They are copied.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public ConnectionPool(Reactor reactor, EndPoint endPoint, ConnectionPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(options);
        Reactor = reactor;
        _endPoint = MappedAddress.Copy(endPoint);
        _options = options.Copy();
        _end = new ReactorCompletion<bool>(reactor);
        _waiting = new RentQueue(reactor, _options.RentTimeout, LateError);
    }

    /// <summary>The reactor that serves the connections.</summary>
    public Reactor Reactor { get; }

    /// <summary>The numbers of connections and callers; on other threads than the reactor's they may be a moment
    /// old.</summary>
    public ConnectionPoolStatistics Statistics => _counts.Read(_waiting.Count);

    /// <summary>Rents a connection: an idle one, or a new one if there are fewer than
    /// <see cref="ConnectionPoolOptions.MaxConnections"/>, or the first that is returned.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A task with the lease, to be ended by <see cref="ConnectionLease.Return"/> or
    /// <see cref="ConnectionLease.Dispose"/>. It fails with a <see cref="TimeoutException"/> after
    /// <see cref="ConnectionPoolOptions.RentTimeout"/>; with the exception of the attempt to connect, as
    /// <c>ConnectAsync</c> describes, or of <see cref="ConnectionPoolOptions.Prepare"/>; with an
    /// <see cref="InvalidOperationException"/> if too many callers wait, or the reactor is shutting down; and with an
    /// <see cref="ObjectDisposedException"/> if the pool or the reactor is disposed. A shutdown of the reactor that
    /// begins during the wait cancels it. Code that awaits it on the
    /// reactor's thread continues there.</returns>
    public Task<ConnectionLease> RentAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<ConnectionLease>(cancellationToken);
        }

        var rent = new LoopWait<ConnectionLease>(Reactor, cancellationToken);
        if (!Reactor.Execute(_ => Serve(rent), null))
        {
            rent.SetException(Reactor.DisposedError());
        }

        // Asked for only now: on the loop an outcome that is there already is a completed task.
        return rent.Task;
    }

    /// <summary>Ends the pool: callers that wait fail, idle connections close in good order, and rented ones when they
    /// are returned. Idempotent.</summary>
    /// <returns>A task that completes when the connections that were idle are closed; at once if the reactor is
    /// disposed, whose loop closes everything when it ends.</returns>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return Reactor.IsDisposed ? default : new ValueTask(_end.Task);
    }

    /// <summary>As <see cref="DisposeAsync"/>, but it does not wait. Idempotent.</summary>
    public void Dispose()
    {
        if (!Reactor.Execute(static self => ((ConnectionPool)self!).BeginEnd(PoolDisposed, PoolDisposed), this))
        {
            _end.SetResult(true);
        }
    }

    /// <summary>The address and the numbers. Any thread.</summary>
    public override string ToString()
    {
        ConnectionPoolStatistics now = Statistics;
        return $"Pool to {EndPointText.Of(_endPoint)}: {now.Rented} rented, {now.Idle} idle, "
            + $"{now.Connecting} connecting, {now.Waiting} waiting";
    }

    void IStoppable.BeginStop(StopPhase phase) => BeginEnd(
        static () => new InvalidOperationException("The reactor is shutting down: there is no connection to rent."),
        static () => new OperationCanceledException("There is no connection to rent: the reactor is stopping."));

    internal void TakeBack(PoolMember member, bool isGood) =>
        Reactor.Execute(_ => Return(member, isGood), null);

    private TimeoutException LateError() => new(
        $"No connection to {_endPoint} within {_options.RentTimeout}: {_counts.Rented} of at most "
            + $"{_options.MaxConnections} are rented, and {_counts.Connecting} are being made.");

    private static ObjectDisposedException PoolDisposed() => new(
        typeof(ConnectionPool).FullName, "The pool of connections is disposed: create a new one.");

    /// <summary>The statistics. Written by the reactor's thread.</summary>
    private sealed class Counts
    {
        public int Rented;
        public int Idle;
        public int Connecting;
        public long Connected;
        public long Discarded;

        public ConnectionPoolStatistics Read(int waiting) => new()
        {
            Rented = Volatile.Read(ref Rented),
            Idle = Volatile.Read(ref Idle),
            Connecting = Volatile.Read(ref Connecting),
            Waiting = waiting,
            Connected = Volatile.Read(ref Connected),
            Discarded = Volatile.Read(ref Discarded),
        };
    }
}
