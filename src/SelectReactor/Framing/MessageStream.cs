using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;
using SelectReactor.Connections;

namespace SelectReactor.Framing;

/// <summary>
/// The messages of a connection for <c>await foreach</c>. A wait for the next one is a wait for input, possibly
/// several, and its continuation runs where that of <c>ReadAsync</c> would: an asynchronous iterator would post it,
/// and allocate. One object serves one loop.
/// </summary>
internal sealed class MessageStream<T>(Connection connection, MessageDecoder<T> decoder, CancellationToken token)
    : IAsyncEnumerable<T>, IAsyncEnumerator<T>, IValueTaskSource<bool>
{
    private DecodeProgress _progress;
    private SequencePosition _end;
    private ValueTask<ReadResult> _read;
    private CancellationToken _token;
    private CancellationTokenSource? _linked;
    private Action? _resume;
    private Action<object?>? _continuation;
    private object? _continuationState;
    private ValueTaskSourceOnCompletedFlags _flags;
    private Exception? _error;
    private short _version;
    private Phase _phase;
    private bool _isUsed;

    private enum Phase : byte
    {
        /// <summary>Between two messages.</summary>
        Idle,

        /// <summary><see cref="Current"/> is valid, and its bytes are not consumed yet.</summary>
        HasMessage,

        /// <summary>Waits for input.</summary>
        Waiting,

        /// <summary>No message follows.</summary>
        Ended,
    }

    public T Current { get; private set; } = default!;

    // Each loop has progress of its own.
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        MessageStream<T> stream = _isUsed ? new MessageStream<T>(connection, decoder, token) : this;
        stream._isUsed = true;
        stream._token = token.CanBeCanceled ? token : cancellationToken;
        if (token.CanBeCanceled && cancellationToken.CanBeCanceled && cancellationToken != token)
        {
            stream._linked = CancellationTokenSource.CreateLinkedTokenSource(token, cancellationToken);
            stream._token = stream._linked.Token;
        }

        return stream;
    }

    public ValueTask<bool> MoveNextAsync()
    {
        if (_phase == Phase.Waiting)
        {
            throw new InvalidOperationException("A message is already awaited.");
        }

        ReleaseMessage();
        if (_phase != Phase.Ended)
        {
            Read();
        }

        return _phase == Phase.Waiting
            ? new ValueTask<bool>(this, _version)
            : ValueTask.FromResult(_phase == Phase.HasMessage);
    }

    public ValueTask DisposeAsync()
    {
        ReleaseMessage();
        _phase = Phase.Ended;
        _linked?.Dispose();
        return default;
    }

    public ValueTaskSourceStatus GetStatus(short version)
    {
        VerifyVersion(version);
        if (_phase == Phase.Waiting && _continuation is null && _read.IsCompleted)
        {
            // Nobody awaits it, but somebody asks.
            GoOn();
        }

        return _phase == Phase.Waiting ? ValueTaskSourceStatus.Pending
            : _error is null ? ValueTaskSourceStatus.Succeeded
            : _error is OperationCanceledException ? ValueTaskSourceStatus.Canceled
            : ValueTaskSourceStatus.Faulted;
    }

    public bool GetResult(short version)
    {
        VerifyVersion(version);
        if (_phase == Phase.Waiting)
        {
            throw new InvalidOperationException("The message has not arrived: await it.");
        }

        _version++;
        if (_error is { } error)
        {
            _error = null;
            ExceptionDispatchInfo.Throw(error);
        }

        return _phase == Phase.HasMessage;
    }

    public void OnCompleted(
        Action<object?> continuation, object? state, short version, ValueTaskSourceOnCompletedFlags flags)
    {
        VerifyVersion(version);
        if (_continuation is not null)
        {
            throw new InvalidOperationException("A message is already awaited.");
        }

        _continuation = continuation;
        _continuationState = state;
        _flags = flags;
        Wait();
    }

    private void Wait()
    {
        _resume ??= Resume;
        ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter awaiter = _read
            .ConfigureAwait((_flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0)
            .GetAwaiter();
        if ((_flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0)
        {
            awaiter.OnCompleted(_resume);
        }
        else
        {
            awaiter.UnsafeOnCompleted(_resume);
        }
    }

    private void Resume()
    {
        GoOn();
        if (_phase == Phase.Waiting)
        {
            Wait();
            return;
        }

        Action<object?> continuation = _continuation!;
        object? state = _continuationState;
        _continuation = null;
        _continuationState = null;
        continuation(state);
    }

    // The wait for input has ended. Another one follows if the message is still not complete.
    private void GoOn()
    {
        try
        {
            Take(_read.GetAwaiter().GetResult());
            if (_phase == Phase.Idle)
            {
                Read();
            }
        }
        catch (Exception error)
        {
            _phase = Phase.Ended;
            _error = error;
        }
    }

    // Until there is a message, an end, or nothing to read.
    private void Read()
    {
        do
        {
#pragma warning disable CA2012 // Its result is taken once, here or when the wait ends.
            _read = connection.Input.ReadAsync(_token);
#pragma warning restore CA2012
            if (!_read.IsCompleted)
            {
                _phase = Phase.Waiting;
                return;
            }

            Take(_read.GetAwaiter().GetResult());
        }
        while (_phase == Phase.Idle);
    }

    private void Take(in ReadResult result)
    {
        _phase = Phase.Idle;
        if (result.IsCanceled)
        {
            connection.Input.AdvanceTo(result.Buffer.Start);
            throw new OperationCanceledException($"{nameof(PipeReader.CancelPendingRead)} was called.");
        }

        DecodeResult<T> next = _progress.Decode(connection, decoder, result.Buffer, result.IsCompleted);
        if (next.Status == DecodeStatus.Message)
        {
            _end = result.Buffer.GetPosition(next.Consumed);
            Current = next.Message;
            _phase = Phase.HasMessage;
        }
        else if (next.Status == DecodeStatus.NeedMore && !result.IsCompleted)
        {
            connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
        else
        {
            End(next, result);
        }
    }

    // The rest is left, so that another loop would end in the same way.
    private void End(in DecodeResult<T> last, in ReadResult result)
    {
        long rest = result.Buffer.Length;
        connection.Input.AdvanceTo(result.Buffer.Start);
        _phase = Phase.Ended;
        if (last.Status == DecodeStatus.NeedMore && rest == 0)
        {
            return;
        }

        (CloseKind kind, Exception error) = DecodeError.Of(last, rest);
        connection.HandlerState = new ProtocolFailure(kind, error);
        throw error;
    }

    private void ReleaseMessage()
    {
        if (_phase == Phase.HasMessage)
        {
            _phase = Phase.Idle;
            Current = default!;
            connection.Input.AdvanceTo(_end);
        }
    }

    private void VerifyVersion(short version)
    {
        if (version != _version)
        {
            throw new InvalidOperationException(
                "A ValueTask can be awaited only once, and its result taken only once.");
        }
    }
}
