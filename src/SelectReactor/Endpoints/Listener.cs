using System.Diagnostics;
using System.Net;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// A listening socket of a reactor. It accepts clients and creates a <see cref="Connection"/> for each. Members may be
/// used on the reactor's thread only, except those that say "any thread". The reactor closes it when it is disposed or
/// shut down.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class Listener : IDisposable
{
    private readonly Reactor _reactor;
    private readonly EndPoint _localEndPoint;
    private readonly Stopper _stopper;
    private readonly Admission _admission;
    private readonly Acceptor _acceptor;
    private readonly ReactorCompletion<bool> _closed;
    private readonly ReactorCompletion<bool> _drained;
    private bool _isClosed;

    internal Listener(
        Reactor reactor,
        ListeningSocket socket,
        Func<Connection, IConnectionHandler> handlerFactory,
        ListenerOptions options)
    {
        _reactor = reactor;
        _closed = new ReactorCompletion<bool>(reactor);
        _drained = new ReactorCompletion<bool>(reactor);
        _stopper = new Stopper(this);
        reactor.AddStarter(_stopper);
        Handle? handle = null;
        try
        {
            handle = socket.Open(reactor, options);
            _localEndPoint = handle.LocalEndPoint ?? socket.EndPoint;
            _admission = new Admission(
                reactor, options, handlerFactory, _localEndPoint, () => !_isClosed, OnConnectionFinished);
            _acceptor = new Acceptor(reactor, handle, options, _admission, CloseSocket);
        }
        catch
        {
            handle?.Close();
            reactor.RemoveStarter(_stopper);
            throw;
        }

        ReactorLog.Listening(reactor.Logger, _localEndPoint);
    }

    /// <summary>The address that it listens on. If port 0 was asked for, it contains the port that the system chose.
    /// It is a copy. Any thread.</summary>
    public EndPoint LocalEndPoint => MappedAddress.Copy(_localEndPoint);

    /// <summary>The number of connections that this listener accepted and that are not closed. It includes
    /// those whose TLS handshake or PROXY header is not complete. Any thread.</summary>
    public int ConnectionCount => _admission.ConnectionCount;

    /// <summary>The number of connections that were accepted and given to a handler since the listener was created.
    /// Any thread.</summary>
    public long Accepted => _admission.Accepted;

    /// <summary>The number of clients that were refused since the listener was created: because of a limit, the
    /// filter, a PROXY header or a TLS handshake that failed, a handler factory that threw, or a lack of
    /// resources. Any thread.</summary>
    public long Refused => _admission.Refused;

    /// <summary>The address that it listens on, for messages. Any thread.</summary>
    public override string ToString() => $"Listener on {EndPointText.Of(LocalEndPoint)}";

    /// <summary>Stops accepting until <see cref="Resume"/>. Clients wait in the backlog meanwhile.
    /// Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Pause()
    {
        _reactor.VerifyAccess();
        _acceptor.Pause();
    }

    /// <summary>Accepts again after <see cref="Pause"/>. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Resume()
    {
        _reactor.VerifyAccess();
        _acceptor.Resume();
    }

    /// <summary>Completes when the listening socket is closed and the last connection that this listener accepted is
    /// closed, too. It closes nothing by itself: call <see cref="StopAcceptingAsync"/> or <see cref="Dispose"/> first.
    /// The reactor's end completes it. Any thread.</summary>
    public Task Drained => _drained.Task;

    /// <summary>Closes the listening socket, as <see cref="Dispose"/>. Accepted connections stay open. Any thread;
    /// idempotent.</summary>
    /// <returns>A task that completes when the socket is closed: at once on the reactor's thread; on another thread
    /// when the loop has closed it. For the end of the accepted connections await <see cref="Drained"/>.</returns>
    public Task StopAcceptingAsync()
    {
        Dispose();
        return _closed.Task;
    }

    /// <summary>Ends the listener in good order: the listening socket closes, accepted connections are told by
    /// <see cref="IConnectionHandler.OnStopping"/> and go on until they close by themselves, and those that are left
    /// at the deadline are closed with <see cref="CloseKind.ReactorStopped"/>. Clients in a handshake go on: they are
    /// told when they are open, and end at the deadline. Outgoing connections are not concerned. Any thread.</summary>
    /// <param name="deadline">From now; zero closes the connections at once; <see cref="Timeout.InfiniteTimeSpan"/>
    /// waits until every one has closed by itself. A further call sets a new one.</param>
    /// <returns><see cref="Drained"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deadline"/> is negative and not
    /// infinite.</exception>
    public Task DrainAsync(TimeSpan deadline)
    {
        if (deadline != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(deadline, TimeSpan.Zero);
        }

        _reactor.Execute(
            _ =>
            {
                CloseSocket();
                _admission.Drain(deadline);
            },
            null);
        return Drained;
    }

    /// <summary>Closes the listening socket. Accepted connections stay open. Clients that wait in the backlog are
    /// reset. It takes effect at once on the reactor's thread, and while the loop does not run, on the thread that
    /// made the reactor or ran its loop last. On another thread it takes effect in a later phase of the loop, or with
    /// the reactor's end. Any thread; idempotent.</summary>
    public void Dispose() => _reactor.Execute(static self => ((Listener)self!).CloseSocket(), this);

    private void OnConnectionFinished()
    {
        _acceptor.UpdateInterest();
        CompleteDrain();
    }

    private void CloseSocket()
    {
        if (_isClosed)
        {
            return;
        }

        // This can throw, so it comes before anything has changed.
        _reactor.VerifyAccess();
        _isClosed = true;
        _acceptor.Close();
        _reactor.RemoveStarter(_stopper);
        _closed.SetResult(true);
        CompleteDrain();
    }

    private void CompleteDrain()
    {
        if (_isClosed && _admission.ConnectionCount == 0)
        {
            _drained.SetResult(true);
        }
    }

    private sealed class Stopper(Listener listener) : IStoppable
    {
        public void BeginStop(StopPhase phase) => listener.CloseSocket();

        public override string ToString() =>
            $"Listener on {listener._admission}{(listener._acceptor.Obstacle is { } why ? $", {why}" : "")}";
    }
}
