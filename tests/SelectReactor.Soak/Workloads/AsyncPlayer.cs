using System.IO.Pipelines;
using SelectReactor.Testing.Network;

namespace SelectReactor.Soak.Workloads;

/// <summary>A side written as one asynchronous method, which reads and writes at the same time, and closes when both
/// are done, or breaks off in the middle.</summary>
internal sealed class AsyncPlayer(
    Judge judge, Func<Connection, SimulatedStream> streamOf, Func<int, Call?> callOf, Call? call,
        ConnectionOptions limits)
    : Side(judge, streamOf, callOf, call, limits)
{
    private int _underWay;
    private bool _isBroken;
    private bool _isToldOfTheEnd;

    public IConnectionHandler Handler => new Serving(this);

    public override bool ReadsToTheEnd => !IsClosedByOther;

    public override bool IsIdle => _underWay == 0;

    private bool IsToBreak => !_isBroken && Plan is { End: EndKind.Abort or EndKind.Throw };

    private async Task ServeAsync(Connection connection)
    {
        NoteConnected(connection);
        await CountedAsync(ReadAndWriteAsync(connection));
    }

    private async Task CountedAsync(Task task)
    {
        _underWay++;
        try
        {
            await task;
        }
        finally
        {
            _underWay--;
        }
    }

    private async Task ReadAndWriteAsync(Connection connection)
    {
        Task writing = Plan is null ? Task.CompletedTask : CountedAsync(WriteAsync(connection));
        while (true)
        {
            ReadResult result = await connection.Input.ReadAsync();
            VerifyThread(connection);
            bool hadPlan = Plan is not null;
            long count = Take(result.Buffer, result.IsCompleted);
            SequencePosition consumed = result.Buffer.GetPosition(count);

            // A sip may leave bytes that nobody has examined: the next read brings them at once.
            connection.Input.AdvanceTo(
                consumed, Plan is { Read: ReadKind.Sip or ReadKind.Slow } ? consumed : result.Buffer.End);
            if (!hadPlan && Plan is not null)
            {
                writing = CountedAsync(WriteAsync(connection));
            }

            if (IsToBreak && Read >= Plan!.BreakAfter)
            {
                BreakReading(connection);
            }

            if (result.IsCompleted)
            {
                break;
            }

            if (Plan is { Read: ReadKind.Slow } slow)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(slow.PauseMs), connection.Reactor.TimeProvider);
                VerifyThread(connection);
            }
        }

        NoteEnd();
        await writing;
        VerifyThread(connection);
        HasEndedOutput = true;
    }

    private async Task WriteAsync(Connection connection)
    {
        while (Written < ToWrite)
        {
            if (Plan!.Write == WriteKind.Held && Written > 0)
            {
                await WriteHeldAsync(connection);
            }
            else
            {
                WriteChunk();
            }

            if (IsToBreak && Written >= Plan!.BreakAfter)
            {
                break;
            }

            FlushResult result = await connection.Output.FlushAsync();
            VerifyThread(connection);
            if (result.IsCompleted || result.IsCanceled)
            {
                _isToldOfTheEnd = true;
                WriteLate(connection);
                return;
            }
        }

        if (IsToBreak)
        {
            _isBroken = true;
            if (Plan!.End == EndKind.Throw)
            {
                await connection.Output.CompleteAsync(new PlannedException());
            }
            else
            {
                connection.Abort(new PlannedException());
            }
        }
        else if (!_isBroken && Plan!.End != EndKind.Wait)
        {
            HasEndedOutput = true;
            await connection.Output.CompleteAsync();
        }
    }

    // Keeps lent memory while another piece of the program writes, and perhaps closes.
    private async Task WriteHeldAsync(Connection connection)
    {
        var wait = TimeSpan.FromMilliseconds(Math.Min(Plan!.PauseMs, 20));
        Memory<byte> memory = connection.Output.GetMemory(NextChunk);
        connection.Reactor.Schedule(wait / 2, () =>
        {
            if (connection.State == ConnectionState.Open && Written < ToWrite)
            {
                TryWriteChunk(50);
            }
        });
        await Task.Delay(wait, connection.Reactor.TimeProvider);
        VerifyThread(connection);
        WriteInto(memory);
    }

    // A writer that looks too late at the end writes on, which does no harm.
    private void WriteLate(Connection connection)
    {
        if (IsClosedByOther && Written < ToWrite)
        {
            WriteChunk();
            if (Plan!.Chunk % 2 == 0)
            {
                throw new InvalidOperationException("It fails, too late for that to matter.");
            }
        }
    }

    // After an abort it reads on, and must be told.
    private void BreakReading(Connection connection)
    {
        _isBroken = true;
        if (Plan!.End == EndKind.Throw)
        {
            throw new PlannedException();
        }

        connection.Abort(new PlannedException());
    }

    private void VerifyThread(Connection connection)
    {
        Judge.Expect(connection.Reactor.IsReactorThread, "an await comes back to the reactor's thread");
        Judge.Expect(
            SynchronizationContext.Current == connection.Reactor.SynchronizationContext, "and to its context");
    }

    private sealed class Serving(AsyncPlayer player) : AsyncConnectionHandler
    {
        public override void OnClosed(Connection connection, CloseReason reason)
        {
            // Nobody on this side has closed it when the writer was told of the end.
            player.Judge.Expect(
                !player._isToldOfTheEnd || player.IsClosedByOther || reason.Kind is not (
                    CloseKind.Local or CloseKind.PeerClosed),
                $"what ended the output is the reason: {reason}");
            player.NoteClosed(connection, reason);
        }

        protected override Task ServeAsync(Connection connection, CancellationToken closed) =>
            player.ServeAsync(connection);
    }
}
