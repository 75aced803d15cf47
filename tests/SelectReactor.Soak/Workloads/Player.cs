using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Testing.Network;

namespace SelectReactor.Soak.Workloads;

/// <summary>A side with callbacks, that does what its plan says and checks when it is called.</summary>
internal sealed class Player(
    Judge judge, Func<Connection, SimulatedStream> streamOf, Func<int, Call?> callOf, Call? call,
        ConnectionOptions limits)
    : Side(judge, streamOf, callOf, call, limits), IConnectionHandler
{
    /// <summary>How much longer a slow reader pauses than another one.</summary>
    private const int SlowFactor = 10;

    private bool _isInCallback;
    private bool _isPaused;
    private bool _hasClosed;
    private bool _isTrickling;

    public override bool ReadsToTheEnd => !IsClosedByOther && Plan is { End: EndKind.Wait or EndKind.CloseOutput };

    public void OnConnected(Connection connection) => InCallback(nameof(OnConnected), connection, () =>
    {
        NoteConnected(connection);
        WriteOn();
    });

    public void OnReadable(Connection connection) => InCallback(nameof(OnReadable), connection, () =>
    {
        Judge.Expect(!_isPaused, "no OnReadable while reading is paused");
        Judge.Expect(!_hasClosed, "no OnReadable after Close");
        Judge.Expect(!HasSeenEnd, "no OnReadable after OnInputEnded");
        ReadSome(atEnd: false);
    });

    public void OnWritable(Connection connection) => InCallback(nameof(OnWritable), connection, () =>
    {
        Judge.Expect(connection.IsWritable, "OnWritable means that it is writable");
        WriteOn();
    });

    public void OnInputEnded(Connection connection) => InCallback(nameof(OnInputEnded), connection, () =>
    {
        Judge.Expect(!_hasClosed, "no OnInputEnded after Close");
        ReadSome(atEnd: true);
        NoteEnd();
        if (Plan is null)
        {
            Close();
        }
        else
        {
            EndWhenSent();
        }
    });

    public void OnClosed(Connection connection, CloseReason reason) =>
        InCallback(nameof(OnClosed), connection, () => NoteClosed(connection, reason));

    private void InCallback(string name, Connection connection, Action body)
    {
        Judge.Expect(Reason is null, $"nothing comes after OnClosed, but {name} did");
        Judge.Expect(!_isInCallback, $"{name} is never inside another callback of its connection");
        Judge.Expect(connection.Reactor.IsReactorThread, $"{name} comes on the reactor's thread");
        _isInCallback = true;
        try
        {
            body();
        }
        finally
        {
            _isInCallback = false;
        }
    }

    private void ReadSome(bool atEnd)
    {
        if (!Connection!.Input.TryRead(out ReadResult result))
        {
            Judge.Expect(atEnd, "OnReadable comes with something to read");
            return;
        }

        bool hadPlan = Plan is not null;
        ReadOnlySequence<byte> buffer = result.Buffer;
        SequencePosition consumed = buffer.GetPosition(Take(buffer, atEnd));
        Connection.Input.AdvanceTo(consumed, Plan is { Read: ReadKind.Sip or ReadKind.Slow } ? consumed : buffer.End);
        if (!hadPlan)
        {
            WriteOn();
        }

        if (Plan is { } plan && !_hasClosed)
        {
            BreakOrPause(plan, atEnd);
        }
    }

    private void BreakOrPause(PlayerPlan plan, bool atEnd)
    {
        if (Read >= plan.BreakAfter && plan.End is EndKind.Abort or EndKind.Throw)
        {
            Break();
        }
        else if (!atEnd && plan.Read is ReadKind.Pause or ReadKind.Slow)
        {
            int pause = plan.Read == ReadKind.Slow ? SlowFactor * plan.PauseMs : plan.PauseMs;
            _isPaused = true;
            Connection!.PauseReading();
            Connection.Reactor.Schedule(TimeSpan.FromMilliseconds(pause), Resume);
        }
    }

    protected override void OnClosedByOther()
    {
        base.OnClosedByOther();
        _hasClosed = true;
    }

    private void Resume()
    {
        _isPaused = false;
        Connection!.ResumeReading();
    }

    private void WriteOn()
    {
        if (Plan is not { } plan || _isTrickling)
        {
            return;
        }

        if (plan.Write == WriteKind.Trickle && MayWrite)
        {
            Write();
            _isTrickling = true;
            Connection!.Reactor.Schedule(TimeSpan.FromMilliseconds(Math.Min(plan.PauseMs, 20)), () =>
            {
                _isTrickling = false;
                WriteOn();
            });
            return;
        }

        if (plan.Write == WriteKind.Held && MayWrite && Written > 0)
        {
            WriteHeld(plan);
            return;
        }

        while (MayWrite && (plan.Write is WriteKind.AllAtOnce or WriteKind.Try || Connection!.IsWritable))
        {
            if (plan.Write != WriteKind.Try)
            {
                Write();
            }
            else if (!TryWriteChunk(int.MaxValue))
            {
                return;
            }
        }

        EndWhenSent();
    }

    // Keeps lent memory while another piece of the program writes, and perhaps closes.
    private void WriteHeld(PlayerPlan plan)
    {
        var wait = TimeSpan.FromMilliseconds(Math.Min(plan.PauseMs, 20));
        Memory<byte> memory = Connection!.Output.GetMemory(NextChunk);
        _isTrickling = true;
        Connection.Reactor.Schedule(wait / 2, () =>
        {
            if (MayWrite)
            {
                TryWriteChunk(50);
            }
        });
        Connection.Reactor.Schedule(wait, () =>
        {
            _isTrickling = false;
            if (!HasEndedOutput || IsClosedByOther)
            {
                WriteInto(memory);
            }

            WriteOn();
        });
    }

    private bool MayWrite =>
        !_hasClosed && !HasEndedOutput && Written < ToWrite && Connection!.State == ConnectionState.Open;

    private void Write()
    {
        WriteChunk();
        if (Plan!.End is EndKind.Abort or EndKind.Throw && Written >= Plan.BreakAfter)
        {
            Break();
        }
    }

    private void EndWhenSent()
    {
        if (Written < ToWrite || HasEndedOutput)
        {
            return;
        }

        switch (Plan!.End)
        {
            case EndKind.Close:
            case EndKind.Wait when HasSeenEnd:
                Close();
                break;
            case EndKind.CloseOutput:
                HasEndedOutput = true;
                Connection!.CloseOutput();
                break;
            case EndKind.Abort or EndKind.Throw:
                Break();
                break;
            default:
                break;
        }
    }

    private void Close()
    {
        if (!_hasClosed)
        {
            _hasClosed = true;
            HasEndedOutput = true;
            Connection!.Close();
        }
    }

    private void Break()
    {
        if (_hasClosed)
        {
            return;
        }

        _hasClosed = true;
        if (Plan!.End == EndKind.Throw && _isInCallback)
        {
            throw new PlannedException();
        }

        Connection!.Abort(new PlannedException());
    }
}
