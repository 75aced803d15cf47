using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using SelectReactor.Buffers;
using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <summary>
/// A connection as a stream. It uses only the public members of the connection, so that it also works for a
/// decorator. Calls on the reactor's thread run directly and allocate nothing if they complete at once. Calls on other
/// threads are sent to the reactor's thread.
/// </summary>
internal sealed partial class ConnectionStream(Connection connection, bool leaveOpen) : Stream
{
    /// <summary>Of so many reads that bring nothing, because the stream has ended or the buffer is empty, one lets the
    /// loop go on first: code that forgets the end must not stop the whole reactor.</summary>
    private const int IdleReadsPerWait = 64;

    private readonly Reactor _reactor = connection.Reactor;
    private volatile Usage _usage;
    private ReadState _reading;
    private int _idleReads;

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
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        // A wrapper may be disposed after this stream and flush then; a NetworkStream ignores that, too.
        if (_usage == Usage.Disposed || !HasOpenState)
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
            if (!TryReadNow(buffer.Span, out int count))
            {
                return WaitAndReadAsync(buffer, cancellationToken);
            }

            return count > 0 || ++_idleReads % IdleReadsPerWait != 0 ? new ValueTask<int>(count) : ReadNothingAsync();
        }
        catch (Exception exception)
        {
            return ValueTask.FromException<int>(exception);
        }
    }

    private bool TryReadNow(Span<byte> buffer, out int count)
    {
        count = 0;

        // The input refuses readers that get nowhere. Reads of a stream may bring nothing as often as they like.
        (connection.Input as InputBuffer)?.ForgetIdleReads();
        return connection.Input.TryRead(out ReadResult result) && TryTake(result, buffer, out count);
    }

    private async ValueTask<int> ReadNothingAsync()
    {
        var phase = new ReactorCompletion<bool>(_reactor);
        Task later = phase.Task;
        phase.SetResult(true);
        await later.ConfigureAwait(false);
        return 0;
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

    private void VerifyNotDisposed() => ObjectDisposedException.ThrowIf(_usage == Usage.Disposed, this);
}
