using System.Diagnostics;
using System.Net;
using SelectReactor.Clients;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// A client that keeps a connection to a server: when an attempt fails or the connection is lost, it connects again
/// after a random delay that grows with the failures. With several end points, each failure turns to the next one. It
/// ends when <see cref="StopAsync"/> is called, when the reactor shuts down, or when it gives up as
/// <see cref="ReconnectOptions"/> says. Its members may be used on any thread.
/// </summary>
/// <remarks>Events are raised on the reactor's thread. Subscribe before <see cref="Start"/>. An exception of a
/// subscriber is logged, and changes nothing: others are told all the same.</remarks>
[DebuggerDisplay("{ToString(),nq}")]
public sealed partial class ReconnectingClient : IAsyncDisposable, IDisposable, IStoppable
{
    private readonly EndPoint[] _endPoints;
    private readonly Func<Connection, IConnectionHandler> _handlerFactory;
    private readonly ReconnectOptions _options;
    private readonly Backoff _backoff;
    private readonly ReactorCompletion<ReconnectEnd> _completion;
    private readonly List<LoopWait<Connection>> _waits = [];
    private volatile ReconnectState _state;
    private volatile Connection? _connection;
    private int _isStarted;

    /// <summary>A client of one server, with default options.</summary>
    /// <inheritdoc cref="ReconnectingClient(Reactor, EndPoint, IConnectionHandler, ReconnectOptions)"/>
    public ReconnectingClient(Reactor reactor, EndPoint endPoint, IConnectionHandler handler)
        : this(reactor, [endPoint], Handlers.Of(handler), new ReconnectOptions())
    {
    }

    /// <summary>A client of one server. It does nothing before <see cref="Start"/>. Any thread.</summary>
    /// <param name="reactor">The reactor that serves its connections.</param>
    /// <param name="endPoint">The address, or the host's name and the port.</param>
    /// <param name="handler">Serves its connections, one after the other.</param>
    /// <param name="options">When to connect again, and how. They are copied.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public ReconnectingClient(
        Reactor reactor, EndPoint endPoint, IConnectionHandler handler, ReconnectOptions options)
        : this(reactor, [endPoint], Handlers.Of(handler), options)
    {
    }

    /// <summary>A client that connects to the first of several end points that accepts it. It does nothing before
    /// <see cref="Start"/>. Any thread.</summary>
    /// <param name="reactor">The reactor that serves its connections.</param>
    /// <param name="endPoints">Addresses, or hosts by name; at least one.</param>
    /// <param name="handlerFactory">Makes a handler for each connection, as by <c>ConnectAsync</c>.</param>
    /// <param name="options">When to connect again, and how. They are copied.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no end point, or one is null.</exception>
    public ReconnectingClient(
        Reactor reactor,
        IEnumerable<EndPoint> endPoints,
        Func<Connection, IConnectionHandler> handlerFactory,
        ReconnectOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(endPoints);
        ArgumentNullException.ThrowIfNull(handlerFactory);
        ArgumentNullException.ThrowIfNull(options);
        _endPoints = [.. endPoints];
        if (_endPoints.Length == 0 || _endPoints.Contains(null))
        {
            throw new ArgumentException("At least one end point is needed, and none may be null.", nameof(endPoints));
        }

        Reactor = reactor;
        _handlerFactory = handlerFactory;
        _options = options.Copy();
        _backoff = new Backoff(_options.BaseDelay, _options.MaxDelay, _options.Random);
        _completion = new ReactorCompletion<ReconnectEnd>(reactor);
    }

    /// <summary>An attempt to connect begins, to this end point.</summary>
    public event Action<EndPoint>? Attempting;

    /// <summary>An attempt has failed. The next one follows, or the client has given up.</summary>
    public event Action<FailedAttempt>? AttemptFailed;

    /// <summary>There is a connection. Its handler's <c>OnConnected</c> was called before. A connection that ended at
    /// once is reported, too.</summary>
    public event Action<Connection>? Connected;

    /// <summary>The connection has ended, for whatever reason.</summary>
    public event Action<LostConnection>? Lost;

    /// <summary>The reactor that serves its connections.</summary>
    public Reactor Reactor { get; }

    /// <summary>What it is doing.</summary>
    public ReconnectState State => _state;

    /// <summary>The connection. Null while there is none. On other threads than the reactor's it may have changed by
    /// the time you use it.</summary>
    public Connection? Connection => _connection;

    /// <summary>Completes, never with an exception, when the client has ended for good and its connection is
    /// closed.</summary>
    public Task<ReconnectEnd> Completion => _completion.Task;

    /// <summary>Begins with the first attempt, without a delay. Idempotent. The loop must be running for it to make
    /// progress.</summary>
    public void Start()
    {
        if (Interlocked.Exchange(ref _isStarted, 1) == 0
            && !Reactor.TryPost(static self => ((ReconnectingClient)self!).Begin(), this))
        {
            _completion.SetResult(new ReconnectEnd { Kind = ReconnectEndKind.ReactorStopped });
        }
    }

    /// <summary>Ends the client: no attempt follows, one under way is cancelled, and a connection closes in good
    /// order (<see cref="Connection.Close()"/>), which may take up to <see cref="ConnectionOptions.LingerTimeout"/>
    /// without progress if the peer neither reads nor closes. To end it at once, abort the connection. Any thread.
    /// Idempotent.</summary>
    /// <returns>A task that completes as <see cref="Completion"/> does.</returns>
    public Task StopAsync()
    {
        if (!Reactor.Execute(static self => ((ReconnectingClient)self!).Stop(), this))
        {
            _completion.SetResult(new ReconnectEnd { Kind = ReconnectEndKind.ReactorStopped });
        }

        return Completion;
    }

    /// <summary>As <see cref="StopAsync"/>, but it does not wait if the reactor is disposed, whose loop closes
    /// everything when it ends.</summary>
    public ValueTask DisposeAsync()
    {
        Task stopped = StopAsync();
        return Reactor.IsDisposed ? default : new ValueTask(stopped);
    }

    /// <summary>As <see cref="StopAsync"/>, but it does not wait. Idempotent.</summary>
    public void Dispose() => _ = StopAsync();

    /// <summary>Waits for a connection, if there is none.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A task with the current connection, or the next one. It fails with an <see cref="IOException"/> when
    /// the client has ended, with the last error inside, and with an <see cref="ObjectDisposedException"/> when the
    /// reactor is disposed. Code that awaits it on the reactor's thread continues there.</returns>
    public Task<Connection> WaitForConnectionAsync(CancellationToken cancellationToken = default)
    {
        var wait = new LoopWait<Connection>(Reactor, cancellationToken);
        if (!Reactor.Execute(_ => Add(wait), null))
        {
            wait.SetException(Reactor.DisposedError());
        }

        // Asked for only now: on the loop an outcome that is there already is a completed task.
        return wait.Task;
    }

    /// <summary>The addresses and the state. Any thread.</summary>
    public override string ToString() =>
        $"Client of {string.Join(" and ", _endPoints.Select(EndPointText.Of))}: {State}";

    void IStoppable.BeginStop(StopPhase phase)
    {
        // An open connection has its own turn in the end of the reactor; an attempt fails by itself.
        Reactor.RemoveStarter(this);
        if (_state is ReconnectState.Idle or ReconnectState.Waiting)
        {
            End(ReconnectEndKind.ReactorStopped);
        }
    }
}
