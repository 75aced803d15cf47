using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace SelectReactor.Connections;

/// <content>Writes and flushes on the reactor's thread.</content>
internal sealed partial class ConnectionStream
{
    /// <summary>A larger write is queued in pieces of this size, so that the queue stays near its high-water
    /// mark.</summary>
    private const int MaxPiece = 64 * 1024;

    private WriteTurns Turns => connection.WriteTurns;

    // An empty write is refused only if the output has ended.
    private bool HasOutput => connection.TryWrite(ReadOnlySpan<byte>.Empty);

    private ValueTask WriteOnLoop(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (Turns.IsTaken || buffer.Length > MaxPiece)
        {
            return WriteInTurnAsync(buffer, cancellationToken);
        }

        try
        {
            ValueTask<FlushResult> flush = WritePiece(buffer, cancellationToken);
            if (!flush.IsCompletedSuccessfully)
            {
                return WaitForFlushAsync(flush);
            }

            VerifyFlush(flush.Result);
            return ValueTask.CompletedTask;
        }
        catch (Exception exception)
        {
            return ValueTask.FromException(exception);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitForFlushAsync(ValueTask<FlushResult> flush)
    {
        // Nobody has the turn, or this flush would not have begun.
        await Turns.EnterAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            VerifyFlush(await flush.ConfigureAwait(false));
        }
        finally
        {
            Turns.Leave(HasOutput);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteInTurnAsync(ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        if (!await Turns.EnterAsync(cancellationToken).ConfigureAwait(false))
        {
            throw CreateWriteError();
        }

        try
        {
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                ReadOnlyMemory<byte> piece = rest[..Math.Min(rest.Length, MaxPiece)];
                VerifyFlush(await WritePiece(piece, cancellationToken).ConfigureAwait(false));
                rest = rest[piece.Length..];
            }
            while (!rest.IsEmpty);
        }
        finally
        {
            Turns.Leave(HasOutput);
        }
    }

    // Wrappers flush when they are disposed, also after the end of the output, when there is nothing left to flush.
    private ValueTask FlushOnLoop(CancellationToken cancellationToken) =>
        HasOutput ? WriteOnLoop(ReadOnlyMemory<byte>.Empty, cancellationToken) : ValueTask.CompletedTask;

    // The output drops what is written after its end. Whoever writes to a stream expects an exception.
    private ValueTask<FlushResult> WritePiece(ReadOnlyMemory<byte> piece, CancellationToken cancellationToken) =>
        HasOutput ? connection.Output.WriteAsync(piece, cancellationToken) : throw CreateWriteError();

    private void VerifyFlush(FlushResult result)
    {
        if (result.IsCanceled)
        {
            throw new OperationCanceledException("The write was cancelled by CancelPendingFlush.");
        }

        if (result.IsCompleted)
        {
            throw CreateWriteError();
        }
    }

    private IOException CreateWriteError() => CreateError("written", HasOpenState
        ? "its output was ended, or the peer has cut it"
        : "it is closing");

    private IOException CreateError(string use, string reasonWhileOpen)
    {
        Task<CloseReason> completion = connection.Completion;
        CloseReason? reason = completion.IsCompletedSuccessfully ? completion.Result : null;
        return new IOException(
            $"The connection can't be {use} any more: {reason?.Kind.ToString() ?? reasonWhileOpen}.", reason?.Error);
    }
}
