using System.Net.Sockets;

namespace SelectReactor.Connections;

/// <content>
/// How long a peer may keep us waiting. What happens leaves a time stamp and touches no timer: the connection's one timer
/// looks at the stamps when it fires, and starts again for what is left of the nearest deadline.
/// </content>
internal sealed partial class StreamConnection
{
    /// <summary>What a peer must take in each <see cref="ConnectionOptions.WriteProgressTimeout"/>.</summary>
    private const int LeastProgress = 4 * 1024;

    private static readonly TimeSpan _probeInterval = TimeSpan.FromSeconds(10);
    private ReactorTimer? _deadlineTimer;
    private long _deadlineCheckAt = long.MaxValue;
    private long _receivedAt;
    private long _sentAt;
    private long _messageBeganAt;
    private long _consumedBefore;
    private long _sendingShortSince;
    private long _bytesSentBefore;

    private bool _wasDeaf;
    private bool _isOverdue;

    /// <summary>Whether the last look found a deadline passed, since which a whole tick has had its turn.</summary>
    private bool _wasOverdue;

    /// <summary>Whether it is we who do not listen: a peer can't be blamed for its silence then.</summary>
    private bool IsDeaf => _phase == Phase.Open && _inputState == InputState.Open && IsReadingPaused;

    // The system tells of a reset only whoever asks.
    private bool IsUnwatched => _phase == Phase.Open && !WantsToRead && !_sendingShort;

    private void StartDeadlines()
    {
        _receivedAt = _sentAt = _reactor.Now;
        CheckWithin(_options.FirstByteTimeout);
        CheckWithin(_options.ReadIdleTimeout);
        CheckWithin(_options.IdleTimeout);
    }

    private void NoteMessage()
    {
        RestartOnConsumption();
        if (_input.Unconsumed > 0)
        {
            CheckWithin(_options.MessageTimeout);
        }
    }

    /// <summary>Comes whenever something may have paused reading or let it go on.</summary>
    private void NoteInterest()
    {
        bool isDeaf = IsDeaf;
        if (_wasDeaf && !isDeaf)
        {
            RestartWaiting();
            _isOverdue = false;
        }

        _wasDeaf = isDeaf;
        if (IsUnwatched)
        {
            CheckWithin(_probeInterval);
        }
    }

    private void RestartWaiting() => _receivedAt = _messageBeganAt = _reactor.Now;

    private void NoteReceive()
    {
        _receivedAt = _reactor.Now;
        _isOverdue = false;
        if (_input.Unconsumed == 0)
        {
            _messageBeganAt = _receivedAt;
        }
    }

    private void NoteShortSend(bool wasShort)
    {
        if (_sendingShort && !wasShort)
        {
            _sendingShortSince = _reactor.Now;
            _bytesSentBefore = _bytesSent;
            CheckWithin(_options.WriteProgressTimeout);
        }
    }

    // Cheap where the timer fires early enough already, as it nearly always does.
    private void CheckWithin(TimeSpan limit)
    {
        if (limit == Timeout.InfiniteTimeSpan || _phase >= Phase.Finishing)
        {
            return;
        }

        long due = _reactor.Clock.After(_reactor.Now, limit);
        if (due >= _deadlineCheckAt)
        {
            return;
        }

        if (_deadlineTimer is null)
        {
            _deadlineTimer = _reactor.Schedule(limit, static self => ((StreamConnection)self!).CheckDeadlines(), this);
        }
        else
        {
            _deadlineTimer.Change(limit);
        }

        _deadlineCheckAt = _deadlineTimer.DueAt;
    }

    private void CheckDeadlines()
    {
        _deadlineCheckAt = long.MaxValue;
        (_wasOverdue, _isOverdue) = (_isOverdue, false);
        if (_sendingShort)
        {
            // The system reports room when there is much of it; a slow reader may have made a little.
            FlushOutput();
        }

        if (_sendingShort)
        {
            RestartOnProgress();
            Enforce(_options.WriteProgressTimeout, _sendingShortSince, "the peer takes next to nothing of what is sent");
        }

        if (IsDeaf)
        {
            RestartWaiting();
        }

        if (IsUnwatched)
        {
            Probe();
        }

        if (_phase == Phase.Open)
        {
            CheckInput();
            Enforce(_options.IdleTimeout, Math.Max(_receivedAt, _sentAt), "nothing was received or sent");
        }
    }

    private void CheckInput()
    {
        if (_inputState != InputState.Open)
        {
            return;
        }

        if (_bytesReceived == 0)
        {
            Enforce(_options.FirstByteTimeout, _receivedAt, "nothing was received since the connection opened");
        }

        RestartOnConsumption();
        if (_input.Unconsumed > 0)
        {
            Enforce(_options.MessageTimeout, _messageBeganAt, "the rest of a message did not come");
        }

        Enforce(_options.ReadIdleTimeout, _receivedAt, "nothing was received");
    }

    private void Enforce(TimeSpan limit, long since, string what)
    {
        if (limit == Timeout.InfiniteTimeSpan || _phase >= Phase.Finishing)
        {
            return;
        }

        TimeSpan left = limit - _reactor.TimeProvider.GetElapsedTime(since, _reactor.Now);
        if (left > TimeSpan.Zero)
        {
            CheckWithin(left);
        }
        else if (!_wasOverdue)
        {
            // After a long callback, what the peer has sent may still lie in the system: the next tick looks first.
            _isOverdue = true;
            CheckWithin(TimeSpan.Zero);
        }
        else
        {
            Terminate(CloseKind.TimedOut, new TimeoutException($"In {limit} {what}."), reset: true);
        }
    }

    // Whoever consumes something has had a message, and what is left is the beginning of another one.
    private void RestartOnConsumption()
    {
        if (_input.TotalConsumed != _consumedBefore)
        {
            _consumedBefore = _input.TotalConsumed;
            _messageBeganAt = _reactor.Now;
        }
    }

    private void RestartOnProgress()
    {
        if (_bytesSent - _bytesSentBefore >= LeastProgress)
        {
            _bytesSentBefore = _bytesSent;
            _sendingShortSince = _sentAt;
        }
    }

    private void Probe()
    {
        // A send that failed has taken the error from the system.
        SocketError error = _sendError != SocketError.Success ? _sendError : _handle.TakeError();
        if (error is SocketError.Success or SocketError.OperationNotSupported)
        {
            CheckWithin(_probeInterval);
        }
        else
        {
            TerminateBy(error);
        }
    }
}
