using System.Net.Sockets;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>Stands in for the connection, and notes what the buffers tell it.</summary>
internal sealed class BufferOwner : IBufferOwner
{
    private readonly Queue<(Action<object?> Callback, object? State)> _deferred = new();
    private InputBuffer? _input;
    private OutputBuffer? _output;

    public bool RefusesAccess { get; set; }

    public bool HasAccess => !RefusesAccess;

    public SynchronizationContext Context { get; } = new QueueContext();

    /// <summary>What a read on a failed input throws.</summary>
    public IOException ReadError { get; set; } = new("closed");

    /// <summary>Whether the last continuation that was invoked asked for the loop's context.</summary>
    public bool? InvokedWithContext { get; private set; }

    /// <summary>Whether something was put off and has not run yet.</summary>
    public bool HasDeferred => _deferred.Count > 0;

    public int InputAdvances { get; private set; }

    public int OutputAdvances { get; private set; }

    public List<Exception?> InputCompletions { get; } = [];

    public List<Exception?> OutputCompletions { get; } = [];

    public void VerifyAccess()
    {
        if (RefusesAccess)
        {
            throw new InvalidOperationException("Another thread.");
        }
    }

    public long Tick { get; private set; }

    public bool Defer(Action<object?> callback, object? state)
    {
        lock (_deferred)
        {
            _deferred.Enqueue((callback, state));
            return true;
        }
    }

    public void DelayOutputResult() => OutputResultReady();

    /// <summary>What the loop does later in its tick.</summary>
    public void RunDeferred()
    {
        Tick++;
        while (TryTake(out (Action<object?> Callback, object? State) next))
        {
            next.Callback(next.State);
        }
    }

    public void Invoke(Action<object?> continuation, object? state, bool withContext)
    {
        InvokedWithContext = withContext;
        SynchronizationContext? outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(withContext ? Context : null);
        try
        {
            continuation(state);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    public InputBuffer CreateInput(BufferPool pool) => _input = new InputBuffer(pool, this);

    public OutputBuffer CreateOutput(BufferPool pool, int high, int low, int max = int.MaxValue) =>
        _output = new OutputBuffer(pool, this, new OutputLimits(low, high, max));

    public void InputResultReady() => Defer(static self => ((BufferOwner)self!)._input!.CompletePendingRead(), this);

    public void OutputResultReady() =>
        Defer(static self => ((BufferOwner)self!)._output!.CompletePendingFlush(), this);

    public void InputAdvanced(long consumed) => InputAdvances++;

    public IOException CreateReadError() => ReadError;

    public void InputCompleted(Exception? error) => InputCompletions.Add(error);

    public void OutputAdvanced() => OutputAdvances++;

    public void OutputCompleted(Exception? error) => OutputCompletions.Add(error);

    private bool TryTake(out (Action<object?> Callback, object? State) next)
    {
        lock (_deferred)
        {
            return _deferred.TryDequeue(out next);
        }
    }
}

/// <summary>A handle that takes as many bytes of a send as it is told, and keeps them.</summary>
internal sealed class SinkHandle : Handle
{
    public List<byte> Sent { get; } = [];

    public int Appetite { get; set; } = int.MaxValue;

    public int LargestGather { get; private set; }

    public bool Throws { get; set; }

    public override bool IsClosed => false;

    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        sent = Math.Min(Appetite, buffer.Length);
        Sent.AddRange(buffer[..sent]);
        return sent == 0 ? SocketError.WouldBlock : SocketError.Success;
    }

    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        LargestGather = Math.Max(LargestGather, buffers.Count);
        sent = 0;
        if (Throws)
        {
            throw new InsufficientMemoryException();
        }

        foreach (ArraySegment<byte> buffer in buffers)
        {
            int count = Math.Min(Appetite - sent, buffer.Count);
            Sent.AddRange(buffer.AsSpan(0, count));
            sent += count;
        }

        return sent == 0 ? SocketError.WouldBlock : SocketError.Success;
    }

    public override void Close()
    {
    }
}
