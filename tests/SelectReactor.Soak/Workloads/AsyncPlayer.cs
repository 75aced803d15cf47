using System.IO.Pipelines;

namespace SelectReactor.Soak.Workloads;

/// <summary>A side written as one asynchronous method, which reads and writes at the same time, and closes when both are
/// done.</summary>
internal sealed class AsyncPlayer(Judge judge, Func<int, Call?> callOf, Call? call) : Side(judge, callOf, call)
{
    public IConnectionHandler Handler => new Serving(this);

    private async Task ServeAsync(Connection connection)
    {
        NoteConnected(connection);
        Task writing = Plan is null ? Task.CompletedTask : WriteAsync(connection);
        while (true)
        {
            ReadResult result = await connection.Input.ReadAsync();
            VerifyThread(connection);
            bool hadPlan = Plan is not null;
            long count = Take(result.Buffer, result.IsCompleted);
            SequencePosition consumed = result.Buffer.GetPosition(count);

            // A sip may leave bytes that nobody has examined: the next read brings them at once.
            connection.Input.AdvanceTo(consumed, Plan is { Read: ReadKind.Sip } ? consumed : result.Buffer.End);
            if (!hadPlan && Plan is not null)
            {
                writing = WriteAsync(connection);
            }

            if (result.IsCompleted)
            {
                break;
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
            WriteChunk();
            FlushResult result = await connection.Output.FlushAsync();
            VerifyThread(connection);
            if (result.IsCompleted || result.IsCanceled)
            {
                return;
            }
        }

        if (Plan!.End != EndKind.Wait)
        {
            HasEndedOutput = true;
            await connection.Output.CompleteAsync();
        }
    }

    private void VerifyThread(Connection connection)
    {
        Judge.Expect(connection.Reactor.IsReactorThread, "an await comes back to the reactor's thread");
        Judge.Expect(SynchronizationContext.Current == connection.Reactor.SynchronizationContext, "and to its context");
    }

    private sealed class Serving(AsyncPlayer player) : AsyncConnectionHandler, IConnectionHandler
    {
        public void OnClosed(Connection connection, CloseReason reason) => player.NoteClosed(connection, reason);

        protected override Task ServeAsync(Connection connection) => player.ServeAsync(connection);
    }
}
