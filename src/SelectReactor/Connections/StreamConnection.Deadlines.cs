using System.Net.Sockets;

namespace SelectReactor.Connections;

/// <content>The one timer of a connection, and what it looks at.</content>
internal sealed partial class StreamConnection
{
    private static readonly TimeSpan _probeInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _minAcknowledgementWait = TimeSpan.FromMilliseconds(1);
    private Deadlines _deadlines;
    private ReactorTimer? _deadlineTimer;
    private bool _wasPaused;

    private bool IsReadPaused =>
        _phase == ConnectionPhase.Open && _pause != PauseReason.None;

    // The system tells of a reset only when it is asked.
    private bool IsUnwatched => _phase == ConnectionPhase.Open && !WantsToRead && !_awaitsRoom;

    private bool HasUnreadEnd => HasFailed
        ? MayReadOn
        : _inputState == InputState.Ended && _outputState == OutputState.Ended && _input.Unconsumed > 0;

    private PeerStatus Peer => new()
    {
        IsClosing = _phase == ConnectionPhase.Closing,
        IsReadPaused = IsReadPaused,
        IsHeard = _inputState == InputState.Open && !IsReadPaused,
        HasSpoken = _bytesReceived > 0,
        HasUnfinishedMessage = _input.Unconsumed > 0,
        HasUnreadEnd = HasUnreadEnd,
        MayReadOn = MayReadOn,
    };

    private void StartDeadlines()
    {
        _deadlines.Open(_reactor.Now);
        CheckInput();
    }

    private void CheckInput()
    {
        CheckWithin(_options.FirstByteTimeout);
        CheckWithin(_options.ReadIdleTimeout);
        CheckWithin(_options.IdleTimeout);
        if (_input.Unconsumed > 0)
        {
            CheckWithin(_options.MessageTimeout);
        }
    }

    private void NoteBlocked()
    {
        if (!_deadlines.IsBlocked)
        {
            MeasureProgress();
            _deadlines.Block(_reactor.Now);
        }

        CheckWithin(_options.WriteProgressTimeout);
    }

    // Only the end is awaited. The clock is read here, since this may happen long after the last tick.
    private void BeginEnd()
    {
        if (!_deadlines.IsEnding)
        {
            RestartEnd();
        }
        else
        {
            CheckEnd();
        }
    }

    private void RestartEnd()
    {
        // Earlier progress must not count later.
        MeasureProgress();
        _deadlines.BeginEnd(_reactor.Clock.Now);
        CheckEnd();
    }

    private void CheckEnd()
    {
        CheckWithin(Deadlines.Grace(_options));
        CheckWithin(_options.MaxLingerTime);
    }

    private void NoteInterest()
    {
        bool isPaused = IsReadPaused;
        if (_wasPaused && !isPaused)
        {
            _deadlines.Resume(_reactor.Now);
            CheckInput();
        }

        _wasPaused = isPaused;
        if (IsUnwatched)
        {
            CheckWithin(_probeInterval);
        }
    }

    /// <summary>How many bytes the system has taken that the peer's has not acknowledged; 0 where nobody can
    /// tell.</summary>
    private long Unacknowledged() =>
        TryGetAcknowledged(out long acknowledged) ? Math.Max(0, _bytesSent - acknowledged) : 0;

    // What was sent before the connection was made is acknowledged before the rest.
    private bool TryGetAcknowledged(out long acknowledged)
    {
        bool isKnown = _handle.TryGetAcknowledgedBytes(out acknowledged);
        acknowledged = Math.Max(0, acknowledged - (_facts?.BytesSent ?? 0));
        return isKnown;
    }

    // Looks again after a time that grows with the time it takes.
    private void CheckForAcknowledgement()
    {
        TimeSpan wait = _deadlines.EndingFor(_reactor.Now, _reactor.Clock) / 2;
        CheckWithin(wait < _minAcknowledgementWait ? _minAcknowledgementWait : wait);
    }

    // Cheap where the timer fires early enough already, as it nearly always does.
    private void CheckWithin(TimeSpan limit)
    {
        if (limit != Timeout.InfiniteTimeSpan && _phase < ConnectionPhase.Finishing)
        {
            long at = _reactor.Clock.After(_reactor.Now, limit);
            if (_deadlineTimer is not { IsActive: true } timer || at < timer.DueAt)
            {
                StartTimer(limit);
            }
        }
    }

    private void StartTimer(TimeSpan due)
    {
        if (_deadlineTimer is null)
        {
            _deadlineTimer = _reactor.Schedule(
                due, static self => ((StreamConnection)self!).Guard(static self => self.CheckDeadlines()), this);
        }
        else
        {
            _deadlineTimer.Change(due);
        }
    }

    private void CheckDeadlines()
    {
        Mark();

        // The system tells of room when there is much of it; a slow reader may have made a little.
        _awaitsRoom = false;
        SendQueue();

        if (IsUnwatched)
        {
            Probe();
        }

        if (IsReadPaused)
        {
            // The time does not pass; it is looked at again, whenever reading goes on.
            _deadlines.Resume(_reactor.Now);
            CheckInput();
        }

        MeasureProgress();
        Deadline first = _deadlines.Examine(Peer, _options, _reactor.Clock);
        if (first.At <= _reactor.Now && WantsToRead)
        {
            // After a long callback, bytes that the peer has sent may still lie in the system.
            Receive();
            first = _deadlines.Examine(Peer, _options, _reactor.Clock);
        }

        if (_phase >= ConnectionPhase.Finishing)
        {
            return;
        }

        if (first.At <= _reactor.Now)
        {
            Expire(first);
        }
        else if (first.At != long.MaxValue)
        {
            CheckWithin(_reactor.Clock.Until(first.At, _reactor.Now));
        }
    }

    private void MeasureProgress()
    {
        if (!_handle.TryMeasureTransport(out long sent, out long taken))
        {
            sent = _bytesSent;
            taken = TryGetAcknowledged(out long acknowledged) ? acknowledged : sent;
        }

        _deadlines.Progress(taken, _output.Queued > 0 || taken < sent, _reactor.Now);
    }

    private void Expire(Deadline passed)
    {
        if (_phase == ConnectionPhase.Open && HasFailed)
        {
            TerminateByFailure();
        }
        else if (_phase == ConnectionPhase.Open && HasUnreadEnd)
        {
            Terminate(CloseKind.PeerClosed, passed.ToException(), reset: false);
        }
        else if (_phase == ConnectionPhase.Closing && _output.Queued == 0)
        {
            CloseInGoodOrder(passed.ToException());
        }
        else
        {
            Terminate(CloseKind.TimedOut, passed.ToException(), reset: true);
        }
    }

    // The system goes on to send what it has taken, to a peer that pauses or reads slowly as well. A reset would take
    // it from the peer.
    private void CloseInGoodOrder(Exception error)
    {
        DropWhatCame();
        if (Unacknowledged() == 0)
        {
            // The peer has all of it, and only its own end of stream is missing.
            Terminate(CloseKind.Local, error: null, reset: false);
        }
        else
        {
            Terminate(CloseKind.TimedOut, error, reset: false);
        }
    }

    private void Probe()
    {
        if (TakeFailure())
        {
            EndByFailure();
        }
        else
        {
            CheckWithin(_probeInterval);
        }
    }

    /// <summary>Asks the system for an error that nobody has told yet. A failed send has taken it already.</summary>
    private bool TakeFailure()
    {
        SocketError error = HasFailed ? Failure : _handle.TakeError();
        if (error is SocketError.Success or SocketError.OperationNotSupported)
        {
            return false;
        }

        NoteFailure(error);
        return true;
    }
}
