using SelectReactor.Buffers;

namespace SelectReactor.Connections;

/// <content>Calls on threads that are not the reactor's. They are sent there, unless the connection is closed: then
/// the loop may not run any more, and what a call finds is settled.</content>
internal sealed partial class ConnectionStream
{
    // The methods are separate, since the closures would be allocated for calls on the loop, too.
    private Task<int> ReadElsewhere(Memory<byte> buffer, CancellationToken cancellationToken) =>
        CallLoop(() => ReadOnLoop(buffer, cancellationToken), ReadAfterEnd, cancellationToken);

    private Task<int> WriteElsewhere(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        CallLoop(() => WriteOnLoop(buffer, cancellationToken), WriteAfterEnd, cancellationToken);

    private Task<int> FlushElsewhere(CancellationToken cancellationToken) =>
        CallLoop(() => FlushOnLoop(cancellationToken), FlushAfterEnd, cancellationToken);

    private int ReadBlocking(Memory<byte> buffer)
    {
        int count = 0;
        CallAndWait(
            () => count = ReadNow(buffer.Span),
            async () => count = await ReadOnLoop(buffer, CancellationToken.None).ConfigureAwait(false),
            ReadAfterEnd);
        return count;
    }

    private void WriteBlocking(ReadOnlyMemory<byte> buffer) => CallAndWait(
        () => WriteNow(buffer.Span), () => WriteOnLoop(buffer, CancellationToken.None), WriteAfterEnd);

    // While no thread runs the loop, the call may run on the caller's own thread, where nothing may wait either.
    private void CallAndWait(Action onCaller, Func<ValueTask> onLoop, Func<int> afterEnd)
    {
        int caller = Environment.CurrentManagedThreadId;
        Func<ValueTask> call = () =>
        {
            if (Environment.CurrentManagedThreadId != caller)
            {
                return onLoop();
            }

            onCaller();
            return ValueTask.CompletedTask;
        };
        CallLoop(call, afterEnd, CancellationToken.None).GetAwaiter().GetResult();
    }

    private Task<int> CallLoop(Func<ValueTask> operation, Func<int> afterEnd, CancellationToken cancellationToken)
    {
        Func<ValueTask<int>> call = async () =>
        {
            await operation().ConfigureAwait(false);
            return 0;
        };
        return CallLoop(call, afterEnd, cancellationToken);
    }

    private Task<int> CallLoop(Func<ValueTask<int>> operation, Func<int> afterEnd, CancellationToken cancellationToken)
    {
        if (connection.Completion.IsCompleted)
        {
            return AsTask(afterEnd);
        }

        if (ForeignCall.TryBegin(_reactor, operation, cancellationToken) is not { } call)
        {
            return Task.FromException<int>(CreateError("used", "the reactor is disposed"));
        }

        // The loop may have closed the connection and ended just before the call was posted.
        return connection.Completion.IsCompleted && call.TryAbandon() ? AsTask(afterEnd) : call.Task;
    }

    private static Task<int> AsTask(Func<int> call)
    {
        try
        {
            return Task.FromResult(call());
        }
        catch (IOException exception)
        {
            return Task.FromException<int>(exception);
        }
    }

    private int ReadAfterEnd() =>
        connection.Input is InputBuffer { IsAtEnd: true } ? 0 : throw CreateError("read", "it is closed");

    private int WriteAfterEnd() => throw CreateWriteError();

    private static int FlushAfterEnd() => 0;
}
