using System.Net.Sockets;
using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <content>The ways to an end, which all lead through one.</content>
internal sealed partial class StreamConnection
{
    /// <summary>Null until something happens that ends the connection.</summary>
    private Ending? _ending;
    private CloseNotice? _notice;

    /// <summary>Whether the handler was told, or is to be told, that a shutdown or a drain has begun.</summary>
    private bool _isStopping;

    public override CancellationToken ConnectionClosed
    {
        get
        {
            CloseNotice notice = Notice();
            return notice == CloseNotice.Given ? new CancellationToken(canceled: true) : notice.Token;
        }
    }

    public override Task<CloseReason> Completion
    {
        get
        {
            CloseNotice notice = Notice();
            return notice == CloseNotice.Given ? Task.FromResult(Reason) : notice.Task;
        }
    }

    /// <summary>What the handler threw, if that ended the connection.</summary>
    public Exception? HandlerError => Reason.Kind == CloseKind.HandlerFault ? Reason.Error : null;

    private bool HasFailed => Failure != SocketError.Success;

    private SocketError Failure => _ending?.Failure ?? SocketError.Success;

    private CloseReason Reason => _ending?.Reason ?? default;

    private Ending End => _ending ??= new Ending();

    public override void Close()
    {
        VerifyAccess();
        CloseFor(_inputState == InputState.Open ? CloseKind.Local : CloseKind.PeerClosed, error: null);
    }

    public override void Close(CloseKind kind, Exception? error)
    {
        VerifyAccess();
        VerifyIsOfProtocol(kind);
        CloseFor(kind, error);
    }

    public override void Abort(Exception? error)
    {
        VerifyAccess();
        Terminate(CloseKind.Aborted, error, reset: true);
    }

    public override void Abort(CloseKind kind, Exception? error)
    {
        VerifyAccess();
        VerifyIsOfProtocol(kind);
        Terminate(kind, error, reset: true);
    }

    /// <summary>Whether its end is told to this callback.</summary>
    public bool EndsTo(Action<Connection> onFinished) => _onFinished == onFinished;

    // A reader must not mistake a stream that was cut for one that ended.
    IOException Buffers.IBufferOwner.CreateReadError() =>
        new($"The connection can't be read any more: {Reason.Kind}.", Reason.Error);

    private static void VerifyIsOfProtocol(CloseKind kind)
    {
        if (kind is not (CloseKind.ProtocolError or CloseKind.TimedOut or CloseKind.LimitExceeded))
        {
            throw new ArgumentOutOfRangeException(
                nameof(kind), kind, "Only ProtocolError, TimedOut and LimitExceeded can be given as a reason.");
        }
    }

    private void CloseFor(CloseKind kind, Exception? error)
    {
        if (_phase >= ConnectionPhase.Closing)
        {
            return;
        }

        Transition(ConnectionPhase.Closing);
        _timers.Cancel();
        NoteReason(kind, error ?? (kind == CloseKind.PeerClosed ? _handle.EndOfStreamFault : null));
        _input.Fail();
        _output.DiscardWrites();
        if (HasFailed)
        {
            TerminateByFailure();
            return;
        }

        DrainOutput();
        RestartEnd();
    }

    private static bool IsCut(SocketError error) =>
        error is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown;

    private CloseNotice Notice() => Volatile.Read(ref _notice)
        ?? Interlocked.CompareExchange(ref _notice, new CloseNotice(_reactor), null)
        ?? _notice!;

    // The reason is told to be what happened first, though input that came before may still be read.
    private void NoteFailure(SocketError error)
    {
        if (HasFailed)
        {
            return;
        }

        End.Failure = error;
        if (IsCut(error))
        {
            ReactorLog.PeerReset(_reactor.Logger, Id);
        }

        NoteReason(FailureKind(error), _handle.Explain(error));
    }

    private CloseKind FailureKind(SocketError error) => IsCut(error) ? CloseKind.PeerReset
        : error == SocketError.TimedOut ? CloseKind.TimedOut
        : _handle.Explain(error) is SocketException ? CloseKind.Aborted
        : CloseKind.ProtocolError;

    // What was received before the failure is still there for a reader that has not seen it.
    private void EndByFailure()
    {
        if (_phase == ConnectionPhase.Open && MayReadOn && (_pause & PauseReason.User) == 0)
        {
            BeginEnd();
        }
        else
        {
            TerminateByFailure();
        }
    }

    private void TerminateByFailure() =>
        Terminate(FailureKind(Failure), _handle.Explain(Failure), reset: true);

    private void ExceedLimit(string limit, int bytes)
    {
        if (_phase < ConnectionPhase.Finishing)
        {
            ReactorLog.LimitExceeded(_reactor.Logger, Id, limit, bytes);
        }

        Terminate(CloseKind.LimitExceeded, new IOException($"{limit} of {bytes} bytes is exceeded."), reset: true);
    }

    // Decides whether both directions are done, and whether that is enough.
    private void DecideEnd()
    {
        if (HasFailed)
        {
            // While the user has paused reading, no receive tells of what a send has met.
            bool isTold = _inputState == InputState.Open
                ? (_pause & PauseReason.User) != 0
                : CanOffer && (_deferred & DeferredWork.Readable) == 0;
            if (isTold && !MayReadOn)
            {
                TerminateByFailure();
            }

            return;
        }

        if (_phase >= ConnectionPhase.Finishing || _outputState != OutputState.Ended)
        {
            return;
        }

        // An end of stream must not take from the reader the input that lies before it.
        bool inputIsRead = _inputState == InputState.Ended && _input.Unconsumed == 0;
        if (inputIsRead || (_phase == ConnectionPhase.Closing && _inputState != InputState.Open))
        {
            EndBothDirections();
        }
        else if (_phase == ConnectionPhase.Closing && (_options.LingerTimeout == TimeSpan.Zero || !HasSentAnything()))
        {
            DropWhatCame();
            Terminate(CloseKind.Local, error: null, reset: false);
        }
        else if (_inputState == InputState.Ended)
        {
            BeginEnd();
        }
        else if (_phase == ConnectionPhase.Closing)
        {
            BeginLinger();
        }
    }

    // Nothing is left to say on either side; but output that the peer's system has not acknowledged may still be lost.
    private void EndBothDirections()
    {
        if (TakeFailure())
        {
            TerminateByFailure();
            return;
        }

        if (Unacknowledged() == 0 || _options.LingerTimeout == TimeSpan.Zero)
        {
            Terminate(CloseKind.PeerClosed, _handle.EndOfStreamFault, reset: false);
            return;
        }

        if (_phase == ConnectionPhase.Open)
        {
            Transition(ConnectionPhase.Closing);
            NoteReason(CloseKind.PeerClosed, _handle.EndOfStreamFault);
            _output.DiscardWrites();
            UpdateInterest();
        }

        BeginEnd();
        BeginLinger();
        CheckForAcknowledgement();
    }

    private void Terminate(CloseKind kind, Exception? error, bool reset)
    {
        if (_phase < ConnectionPhase.Finishing)
        {
            Transition(ConnectionPhase.Finishing);
            End.IsReset = reset;
            if (End.Lingering is { } lingering)
            {
                _reactor.Lingering.Remove(lingering);
            }

            _reactor.FinishLater(this);
            CountUnsent(kind);
            NoteReason(kind, error);
            StopWatching();

            // The callback under way may go on writing, and nothing of that may be kept.
            _output.Discard();
        }
    }

    private void NoteReason(CloseKind kind, Exception? error)
    {
        CloseReason reason = End.Reason;
        if (reason.Kind == CloseKind.None)
        {
            End.Reason = reason with { Kind = kind, Error = error };
        }
        else if (reason.Error is null && (reason.UnsentBytes > 0 || !_handle.TryGetAcknowledgedBytes(out _)))
        {
            // The first thing that happened stays the reason, with the error that kept the rest from being sent.
            End.Reason = reason with { Error = error };
        }
    }
}
