using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace SelectReactor.Connections;

/// <summary>
/// A connection as a stream. It uses only the public members of the connection, so that it also works for a
/// decorator. Calls on the reactor's thread run directly and allocate nothing if they complete at once. Calls on other
/// threads are sent to the reactor's thread.
/// </summary>
internal sealed partial class ConnectionStream(Connection connection, bool leaveOpen) : Stream
{
    /// <summary>A larger write is queued in pieces of this size, so that the queue stays near its high-water
    /// mark.</summary>
    private const int MaxPiece = 64 * 1024;

    private readonly Reactor _reactor = connection.Reactor;
    private readonly WriteTurns _turns = new(connection.Reactor);
    private volatile Usage _usage;
    private ReadState _reading;

    private enum Usage
    {
        Open,
        Disposed,
    }

    private enum ReadState
    {
        Idle,
        Waiting,
    }

    public override bool CanRead => _usage == Usage.Open;

    public override bool CanWrite => _usage == Usage.Open;

    public override bool CanSeek => false;

    // Any thread.
    private bool HasOpenState => connection.State is ConnectionState.Opening or ConnectionState.Open;

    // An empty write is refused only if the output has ended.
    private bool HasOutput => connection.TryWrite(ReadOnlySpan<byte>.Empty);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        VerifyNotDisposed();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        return _reactor.IsReactorThread
            ? ReadOnLoop(buffer, cancellationToken)
            : new ValueTask<int>(ReadElsewhere(buffer, cancellationToken));
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        VerifyNotDisposed();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return _reactor.IsReactorThread
            ? WriteOnLoop(buffer, cancellationToken)
            : new ValueTask(WriteElsewhere(buffer, cancellationToken));
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        VerifyNotDisposed();
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        if (!HasOpenState)
        {
            return Task.CompletedTask;
        }

        return _reactor.IsReactorThread
            ? FlushOnLoop(cancellationToken).AsTask()
            : FlushElsewhere(cancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        if (!leaveOpen)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _usage == Usage.Open)
        {
            _usage = Usage.Disposed;
            _reactor.Execute(static self => ((ConnectionStream)self!).End(), this);
        }

        base.Dispose(disposing);
    }

    private void End()
    {
        if (!leaveOpen)
        {
            connection.Close();
        }
        else if (_reading == ReadState.Waiting)
        {
            // The input is for somebody else from now on.
            connection.Input.CancelPendingRead();
        }
    }

    private ValueTask<int> ReadOnLoop(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return TryReadNow(buffer.Span, out int count)
                ? new ValueTask<int>(count)
                : WaitAndReadAsync(buffer, cancellationToken);
        }
        catch (Exception exception)
        {
            return ValueTask.FromException<int>(exception);
        }
    }

    private bool TryReadNow(Span<byte> buffer, out int count)
    {
        count = 0;
        return connection.Input.TryRead(out ReadResult result) && TryTake(result, buffer, out count);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAndReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int count;
        ReadResult result;
        do
        {
            ValueTask<ReadResult> read = connection.Input.ReadAsync(cancellationToken);
            _reading = ReadState.Waiting;
            try
            {
                result = await read.ConfigureAwait(false);
            }
            finally
            {
                _reading = ReadState.Idle;
            }
        }
        while (!TryTake(result, buffer.Span, out count));

        return count;
    }

    // False if there was nothing: neither bytes nor the end of the stream.
    private bool TryTake(ReadResult result, Span<byte> buffer, out int count)
    {
        ReadOnlySequence<byte> bytes = result.Buffer;
        count = (int)Math.Min(bytes.Length, buffer.Length);
        bytes.Slice(0, count).CopyTo(buffer);
        connection.Input.AdvanceTo(bytes.GetPosition(count));
        if (result.IsCanceled && bytes.IsEmpty)
        {
            VerifyNotDisposed();
            throw new OperationCanceledException("The read was cancelled by CancelPendingRead.");
        }

        return !bytes.IsEmpty || result.IsCompleted;
    }

    private ValueTask WriteOnLoop(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_turns.IsTaken || buffer.Length > MaxPiece)
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
        await _turns.EnterAsync().ConfigureAwait(false);
        try
        {
            VerifyFlush(await flush.ConfigureAwait(false));
        }
        finally
        {
            _turns.Leave();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteInTurnAsync(ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        await _turns.EnterAsync().ConfigureAwait(false);
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
            _turns.Leave();
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

    // Methods of their own, since the closures would be allocated for calls on the loop, too.
    private Task<int> ReadElsewhere(Memory<byte> buffer, CancellationToken cancellationToken) =>
        CallLoop(() => ReadOnLoop(buffer, cancellationToken));

    private Task<int> WriteElsewhere(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        CallLoop(() => WriteOnLoop(buffer, cancellationToken));

    private Task<int> FlushElsewhere(CancellationToken cancellationToken) =>
        CallLoop(() => FlushOnLoop(cancellationToken));

    private Task<int> CallLoop(Func<ValueTask<int>> operation) => ForeignCall.TryBegin(_reactor, operation)
        ?? Task.FromException<int>(CreateError("used", "the reactor is disposed"));

    private Task<int> CallLoop(Func<ValueTask> operation) => CallLoop(async () =>
    {
        await operation().ConfigureAwait(false);
        return 0;
    });

    private void VerifyNotDisposed() => ObjectDisposedException.ThrowIf(_usage == Usage.Disposed, this);
}
