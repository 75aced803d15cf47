using System.Net;
using System.Net.Sockets;
using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>
/// Accepts the clients that wait at one listening handle and gives them to an <see cref="IAdmission"/>. It pauses
/// while the user wants it to, while there is no room for a connection, and for a second when accepting fails, for
/// example because the system lacks a resource. It ends only with <see cref="Close"/> or <see cref="Release"/>.
/// </summary>
internal sealed class Acceptor : IEventHandler
{
    /// <summary>So many in a row are not of one client.</summary>
    private const int MaxDoubtfulErrors = 64;

    private static readonly TimeSpan _retryInterval = TimeSpan.FromSeconds(1);
    private readonly Reactor _reactor;
    private readonly Handle _handle;
    private readonly ListenerOptions _options;
    private readonly IAdmission _admission;
    private readonly Action _lost;
    private readonly EndPoint? _localEndPoint;
    private readonly SpareDescriptor _spare;
    private readonly AcceptBudget _budget;
    private readonly SelectionKey _key;
    private readonly AcceptPauses _told;
    private readonly AcceptWarnings _warnings;
    private PauseReason _pauses;
    private ReactorTimer? _retry;
    private bool _waitsForRoom;
    private int _doubtfulErrors;

    /// <summary>Accepts clients from now on.</summary>
    /// <param name="reactor">The reactor that watches the handle.</param>
    /// <param name="handle">A handle that listens. <see cref="Close"/> closes it.</param>
    /// <param name="options">The limits.</param>
    /// <param name="admission">Receives each accepted client.</param>
    /// <param name="lost">Called when the handle turns out to be closed by somebody else.</param>
    public Acceptor(Reactor reactor, Handle handle, ListenerOptions options, IAdmission admission, Action lost)
    {
        _reactor = reactor;
        _handle = handle;
        _options = options;
        _admission = admission;
        _lost = lost;
        _localEndPoint = handle.LocalEndPoint;
        _spare = new SpareDescriptor(
            reactor.HandleFactory, _localEndPoint?.AddressFamily ?? AddressFamily.InterNetwork);
        _warnings = new AcceptWarnings(reactor.Logger, reactor.TimeProvider, _localEndPoint, _retryInterval);
        _told = new AcceptPauses(admission, _localEndPoint);
        _budget = new AcceptBudget(reactor.Clock, options.MaxAcceptsPerTick);
        _key = reactor.Register(handle, Interest.Read, this);
        HoldSpare();
    }

    [Flags]
    private enum PauseReason : byte
    {
        None = 0,

        /// <summary>The user called <see cref="Listener.Pause"/>.</summary>
        User = 1,

        /// <summary>Accepting failed: the system lacked a resource, for example.</summary>
        Failure = 2,
    }

    /// <summary>Whether it does not accept at the moment. Any thread; on another one it may be a moment old.</summary>
    public bool IsPaused => _pauses != PauseReason.None || IsFull;

    /// <summary>Why it does not accept at the moment, or refuses, for messages. Null if it accepts. Any
    /// thread.</summary>
    public string? Obstacle => (_pauses & PauseReason.User) != 0 ? "not accepting: Pause was called"
        : (_pauses & PauseReason.Failure) != 0 ? "not accepting: it has failed, and is tried again soon"
        : _admission.ReachedLimit is not { } limit ? null
        : $"{(_options.WhenFull == WhenFull.Pause ? "not accepting" : "refusing clients")}: {limit}";

    private bool IsFull => _options.WhenFull == WhenFull.Pause && _admission.IsFull;

    public void OnReady(SelectionKey key)
    {
        if (key.IsEvicted)
        {
            _lost();
            return;
        }

        try
        {
            Accept();
        }
        catch (Exception exception)
        {
            // For example out of memory. It must not reach the reactor, which would cancel the key for ever.
            PauseAfterFailure();
            _admission.CountAcceptError(ErrorTypes.Of(exception));
            _warnings.Warn(exception);
        }
        finally
        {
            _admission.EndAccept();
        }
    }

    public void Pause()
    {
        _pauses |= PauseReason.User;
        UpdateInterest();
    }

    public void Resume()
    {
        _pauses &= ~PauseReason.User;
        UpdateInterest();
    }

    /// <summary>Lets the selector look again at a handle whose socket other reactors watch, too: the one that was
    /// woken for a client may not have accepted it. Never throws.</summary>
    public void LookAgain()
    {
        if (_key.IsValid)
        {
            SetInterest(Interest.None);
            UpdateInterest();
        }
    }

    /// <summary>Watches for clients unless paused. Call it when a reason to pause may have come or gone. Never throws:
    /// if the selector refuses, it tries again a second later.</summary>
    public void UpdateInterest()
    {
        if (!_key.IsValid)
        {
            return;
        }

        // Asked once: another reactor may give back a place at any moment, and its message must find this one waiting.
        bool isFull = IsFull;
        bool isPaused = isFull || _pauses != PauseReason.None;
        _told.Set(isPaused ? ReasonOf(_pauses) : null, isFull);
        SetInterest(isPaused ? Interest.None : Interest.Read);
        if (!isPaused)
        {
            return;
        }

        _budget.EndBacklog();
        if (isFull && (_reactor.IsFull || _reactor.SharesLimit) && !_waitsForRoom)
        {
            _waitsForRoom = true;
            _reactor.WaitForRoom(() =>
            {
                _waitsForRoom = false;
                UpdateInterest();
            });
        }
    }

    /// <summary>Closes the handle, even if the selector fails to forget it. Idempotent.</summary>
    public void Close()
    {
        Release();
        _handle.Close();
    }

    /// <summary>Ends without closing the handle, which another reactor may watch from now on. Idempotent.</summary>
    public Handle Release()
    {
        _retry?.Cancel();
        _told.End();
        _spare.Release();
        try
        {
            _key.Cancel();
        }
        catch (Exception exception)
        {
            ReactorLog.ListenerCloseFault(_reactor.Logger, _localEndPoint, exception);
        }

        return _handle;
    }

    private static int ReasonOf(PauseReason pauses) =>
        (pauses & PauseReason.User) != 0 ? AcceptPauseReasons.Program
        : pauses != PauseReason.None ? AcceptPauseReasons.AcceptError
        : AcceptPauseReasons.ConnectionLimit;

    private void SetInterest(Interest interest)
    {
        try
        {
            _key.Interest = interest;
        }
        catch (Exception exception)
        {
            ReactorLog.ListenerInterestFault(_reactor.Logger, _localEndPoint, _retryInterval, exception);
            RetryLater();
        }
    }

    private void Accept()
    {
        // Another listener may have filled the reactor in this tick.
        UpdateInterest();
        if (IsPaused)
        {
            return;
        }

        // A handler may pause or dispose the listener in its OnConnected.
        _budget.Begin();
        do
        {
            if (!_admission.TryReserve())
            {
                UpdateInterest();
                return;
            }

            SocketError error = _handle.Accept(out Handle? accepted);
            switch (error)
            {
                case SocketError.Success:
                    _doubtfulErrors = 0;
                    _admission.Admit(accepted!);
                    UpdateInterest();
                    break;
                case SocketError.WouldBlock:
                    _doubtfulErrors = 0;
                    _budget.EndBacklog();
                    return;
                case SocketError.OperationAborted:
                    _lost();
                    return;
                case var _ when AcceptErrors.IsOfOneClient(error)
                    || (AcceptErrors.MayBeOfOneClient(error) && ++_doubtfulErrors < MaxDoubtfulErrors):
                    _admission.CountAcceptError(ErrorTypes.Of(error));
                    ReactorLog.AcceptFailed(_reactor.Logger, _localEndPoint, error);
                    break;
                case SocketError.TooManyOpenSockets when _admission.TryFreeDescriptors():
                    // After this tick. The client still waits.
                    _admission.CountAcceptError(ErrorTypes.Of(error));
                    return;
                default:
                    _admission.CountAcceptError(ErrorTypes.Of(error));
                    RefuseWaiting(error);
                    PauseAfterFailure();
                    _warnings.Warn(error);
                    return;
            }
        }
        while (_budget.TryGoOn() && _key.IsValid && !IsPaused);
    }

    private void RefuseWaiting(SocketError error)
    {
        if (error != SocketError.TooManyOpenSockets || !_spare.IsHeld)
        {
            return;
        }

        _spare.Release();
        _budget.Begin();
        while (_handle.Accept(out Handle? client) == SocketError.Success)
        {
            _admission.Refuse(client!, Refusal.NoDescriptor);
            if (!_budget.TryGoOn())
            {
                break;
            }
        }

        HoldSpare();
    }

    private void HoldSpare()
    {
        if (!_spare.TryHold())
        {
            RetryLater();
        }
    }

    // The client that waits keeps the listener readable, so that trying again at once would spin.
    private void PauseAfterFailure()
    {
        _doubtfulErrors = 0;
        _pauses |= PauseReason.Failure;
        RetryLater();
        UpdateInterest();
    }

    private void RetryLater()
    {
        _retry ??= _reactor.Schedule(_retryInterval, static self => ((Acceptor)self!).Retry(), this);
        _retry.Change(_retryInterval);
    }

    private void Retry()
    {
        _pauses &= ~PauseReason.Failure;
        HoldSpare();
        UpdateInterest();
    }
}
