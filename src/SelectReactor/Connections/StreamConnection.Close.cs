using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <content>The ways to an end, which all lead through one.</content>
internal sealed partial class StreamConnection
{
    private static readonly object _closedMark = new();
    private CloseReason _reason;
    private long _unsentBytes;
    private bool _reset;
    private ReactorTimer? _lingerTimer;
    private CancellationTokenSource? _closedToken;

    /// <summary>Null, then the source of the task that somebody asked for, then <see cref="_closedMark"/>.</summary>
    private object? _closedTask;

    public override CancellationToken ConnectionClosed
    {
        get
        {
            VerifyAccess();
            if (_closedToken is null && _phase == Phase.Closed)
            {
                return new CancellationToken(canceled: true);
            }

            _closedToken ??= new CancellationTokenSource();
            return _closedToken.Token;
        }
    }

    public override Task<CloseReason> Closed
    {
        get
        {
            object? state = Volatile.Read(ref _closedTask);
            if (state is null)
            {
                var source = new TaskCompletionSource<CloseReason>(TaskCreationOptions.RunContinuationsAsynchronously);
                state = Interlocked.CompareExchange(ref _closedTask, source, null) ?? source;
            }

            return state is TaskCompletionSource<CloseReason> made ? made.Task : Task.FromResult(_reason);
        }
    }

    public override void Close()
    {
        VerifyAccess();
        if (_phase >= Phase.Closing)
        {
            return;
        }

        Transition(Phase.Closing);
        SetReason(_inputState == InputState.Open ? CloseKind.Local : CloseKind.PeerClosed, error: null);
        _input.Discard();
        _input.End();
        _output.End();
        if (_sendError != SocketError.Success)
        {
            TerminateBy(_sendError);
            return;
        }

        DrainOutput();
        UpdateInterest();
        Linger();
    }

    public override void Abort(Exception? error = null)
    {
        VerifyAccess();
        Terminate(CloseKind.Aborted, error, reset: true);
    }

    public void BeginStop(StopPhase phase)
    {
        if (phase == StopPhase.Close && _phase < Phase.Finishing)
        {
            if (_output.Queued > 0 && !_sendingShort)
            {
                SendQueued();
            }

            Terminate(CloseKind.ReactorStopped, error: null, reset: _output.Queued > 0);
        }
    }

    public void FinishClose()
    {
        Transition(Phase.Closed);
        _lingerTimer?.Cancel();
        if (_reset)
        {
            _handle.Abort();
        }
        else
        {
            _handle.Close();
        }

        _reason = _reason with { UnsentBytes = _unsentBytes };
        _input.End(ReadError());
        _input.Release();
        _reactor.Remove(this);
        if (_reactor.Logger.IsEnabled(LogLevel.Debug))
        {
            ReactorLog.Closed(_reactor.Logger, Id, _reason.Kind.ToString(), _reason.UnsentBytes);
        }

        CancelClosedToken();
        Deliver(Callback.OnClosed);
        CompleteClosedTask();
        _onFinished?.Invoke(this);
    }

    private void TerminateBy(SocketError error)
    {
        CloseKind kind = IsCut(error) ? CloseKind.PeerReset
            : error == SocketError.TimedOut ? CloseKind.TimedOut
            : CloseKind.Aborted;
        if (kind == CloseKind.PeerReset)
        {
            ReactorLog.PeerReset(_reactor.Logger, Id);
        }

        Terminate(kind, new SocketException((int)error), reset: true);
    }

    private void ExceedLimit(string limit, int bytes)
    {
        if (_phase < Phase.Finishing)
        {
            ReactorLog.LimitExceeded(_reactor.Logger, Id, limit, bytes);
        }

        Terminate(CloseKind.LimitExceeded, new IOException($"{limit} of {bytes} bytes is exceeded."), reset: true);
    }

    private void Terminate(CloseKind kind, Exception? error, bool reset)
    {
        if (_phase < Phase.Finishing)
        {
            Transition(Phase.Finishing);
            SetReason(kind, error);
            _reset = reset;
            _key.Cancel();
            _deadlineTimer?.Cancel();

            // The callback under way may go on writing, and that must not be kept any more.
            _unsentBytes += _output.Queued;
            _output.Discard();
            _reactor.FinishLater(this);
        }
    }

    private void SetReason(CloseKind kind, Exception? error)
    {
        if (_reason.Kind == CloseKind.None)
        {
            _reason = new CloseReason { Kind = kind, Error = error };
        }
        else if (_reason.Error is null && _output.Queued + _unsentBytes > 0)
        {
            // The first thing that happened stays the reason; what kept the rest from being sent is told with it.
            _reason = _reason with { Error = error };
        }
    }

    // Without reading on, the system would answer what is still on its way with a reset, which overtakes our last bytes.
    private void Linger()
    {
        if (_options.LingerTimeout > TimeSpan.Zero)
        {
            _lingerTimer = _reactor.Schedule(
                _options.LingerTimeout, static self => ((StreamConnection)self!).EndLingering(), this);
        }
    }

    private void EndLingering() => Terminate(
        CloseKind.TimedOut,
        new TimeoutException($"The peer did nothing for {_options.LingerTimeout} after the close."),
        reset: true);

    private static bool IsCut(SocketError error) =>
        error is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown;

    // A reader must not mistake a stream that was cut for one that ended.
    private IOException? ReadError() => _reason.Kind is CloseKind.Local or CloseKind.PeerClosed
        ? null
        : new IOException($"The connection is closed: {_reason.Kind}.", _reason.Error);

    private void CancelClosedToken()
    {
        try
        {
            _closedToken?.Cancel();
        }
        catch (AggregateException exception)
        {
            ReactorLog.ClosedTokenFault(_reactor.Logger, Id, exception);
        }
    }

    private void CompleteClosedTask()
    {
        if (Interlocked.Exchange(ref _closedTask, _closedMark) is TaskCompletionSource<CloseReason> source)
        {
            source.SetResult(_reason);
        }
    }
}
