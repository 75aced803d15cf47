using System.Net.Sockets;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor.Connections;

/// <summary>
/// The steps between a connected handle and a connection, one after the other. It counts as a connection for the
/// reactor's limit and reports its outcome once, possibly before <see cref="Begin"/> has returned, and never after
/// <see cref="Abort"/>. After a failure the handle is closed.
/// </summary>
internal sealed class OpeningSequence(
    Reactor reactor,
    Opened opened,
    IReadOnlyList<Func<OpeningStep>> steps,
    string prefix,
    Action<OpeningSequence, Exception?> concluded)
    : IEventHandler, IOpening, IFallible
{
    /// <summary>So much of a peer's input is dropped before a close in good order.</summary>
    private const int MaxDroppedBytes = 1024 * 1024;

    private static readonly TimeSpan _maxOvertime = TimeSpan.FromSeconds(1);
    private SelectionKey? _key;
    private OpeningStep? _step;
    private ReactorTimer? _timer;
    private long? _due;
    private long _progress;
    private int _begun;
    private State _state;

    private enum State
    {
        New,
        Running,
        Ended,
    }

    /// <summary>The reactor of the handle.</summary>
    public Reactor Reactor => reactor;

    /// <summary>The result of the steps so far.</summary>
    public Opened Opened { get; private set; } = opened;

    /// <summary>With what the message of each failure begins; may be empty.</summary>
    public string Prefix => prefix;

    /// <summary>What the steps have to tell later. Made on use.</summary>
    public OpeningFacts Facts
    {
        get
        {
            Opened = Opened with { Facts = Opened.Facts ?? new OpeningFacts() };
            return Opened.Facts!;
        }
    }

    /// <summary>What the current step waits for. It begins with nothing.</summary>
    public Interest Interest
    {
        get => _key!.Interest;
        set => _key!.Interest = value;
    }

    /// <summary>Why the steps have failed. Null if they have not, or if they were given up.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>What the current step is called.</summary>
    public string StepName => _step?.Name ?? "opening";

    /// <summary>How long whoever has made progress after a time limit may go on: the loop had come too late to what
    /// was there in time.</summary>
    public static TimeSpan OvertimeOf(TimeSpan limit) => limit < _maxOvertime ? limit : _maxOvertime;

    /// <summary>Starts the first step. An exception is a failure, too.</summary>
    public void Begin()
    {
        reactor.BeginOpening();
        _state = State.Running;
        Try(static self =>
        {
            self._key = self.Reactor.Register(self.Opened.Handle.Watched, Interest.None, self);
            self.BeginNext();
        });
    }

    /// <summary>The current step is done: the next one begins, or the connection is made.</summary>
    public void Complete(Opened next)
    {
        Opened = next;
        EndStep();
        if (_begun < steps.Count)
        {
            Interest = Interest.None;
            BeginNext();
        }
        else
        {
            End();
            concluded(this, null);
        }
    }

    /// <summary>The peer has sent something, or a computation has ended.</summary>
    public void NoteProgress() => _progress = reactor.Clock.Now;

    /// <summary>Whether there was progress then or later.</summary>
    public bool HasProgressSince(long moment) => _progress >= moment;

    /// <summary>Does at once what the loop has not come to yet. Call it before a time-out gives up: after a long
    /// callback the bytes of the peer may be there.</summary>
    public void LookAgain()
    {
        if (_state == State.Running)
        {
            Try(static self => self._step!.LookAgain());
        }
    }

    /// <summary>The current step has failed.</summary>
    /// <param name="error">Why.</param>
    /// <param name="reset">Whether the peer is to see a reset, and not the end of the stream.</param>
    public void Fail(Exception error, bool reset = true)
    {
        if (_state == State.Running)
        {
            Failure = error;
            Close(reset);
            concluded(this, error);
        }
    }

    /// <summary>Gives up without a report, and resets the handle.</summary>
    public void Abort()
    {
        if (_state == State.Running)
        {
            Close(reset: true);
        }
    }

    public override string ToString() => $"{StepName} with {EndPointText.Of(Opened.RemoteEndPoint)}";

    public void BeginStop(StopPhase phase) =>
        Fail(new OperationCanceledException($"{prefix}the reactor is stopping."));

    void IEventHandler.OnReady(SelectionKey key)
    {
        if (key.IsEvicted)
        {
            Fail(new IOException(
                $"{prefix}the socket was closed during the {StepName}, not by the library.",
                new SocketException((int)SocketError.OperationAborted)));
        }
        else
        {
            _step!.OnReady(key.Ready);
        }
    }

    void IFallible.Fail(Exception error) => Fail(error);

    /// <summary>Runs code of the current step that is called by others than this sequence.</summary>
    public void Try(Action<OpeningSequence> code)
    {
        try
        {
            code(this);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    private void BeginNext()
    {
        _step = steps[_begun++]();
        _step.Sequence = this;
        NoteProgress();
        if (_step.TimeLimit != Timeout.InfiniteTimeSpan)
        {
            _due = reactor.Clock.After(_progress, _step.TimeLimit);
            _timer = reactor.Schedule(_step.TimeLimit, static self => ((OpeningSequence)self!).TimeOut(), this);
        }

        _step.Begin();
    }

    private void TimeOut()
    {
        OpeningStep step = _step!;
        LookAgain();
        if (_step != step)
        {
            return;
        }

        if (_due is { } due && HasProgressSince(due))
        {
            _due = null;
            _timer!.Change(OvertimeOf(step.TimeLimit));
            return;
        }

        Fail(new TimeoutException($"{prefix}the {StepName} took longer than {step.TimeLimit}."));
    }

    private void EndStep()
    {
        OpeningStep? step = _step;
        _step = null;
        _timer?.Cancel();
        _timer = null;
        step?.End();
    }

    private void Close(bool reset)
    {
        End();
        reactor.GiveBackPlaces();
        if (reset)
        {
            Opened.Handle.Abort();
        }
        else
        {
            DropWhatCame();
            Opened.Handle.Close();
        }
    }

    // With unread input the system's close would be a reset, which could overtake the last word of the step.
    private void DropWhatCame()
    {
        Span<byte> buffer = stackalloc byte[16 * 1024];
        for (int dropped = 0; dropped < MaxDroppedBytes;)
        {
            if (Opened.Handle.Receive(buffer, out int received) != SocketError.Success || received == 0)
            {
                return;
            }

            dropped += received;
        }
    }

    // What a step or the selector throws here must not keep the rest from its end.
    private void End()
    {
        _state = State.Ended;
        reactor.EndOpening();
        try
        {
            EndStep();
            _key?.Cancel();
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(reactor.Logger, exception);
        }
    }
}
