using SelectReactor.Buffers;

namespace SelectReactor.Benchmarks;

/// <summary>Stands in for the connection, and does nothing.</summary>
internal sealed class SilentOwner : IBufferOwner
{
    public bool HasAccess => true;

    public SynchronizationContext Context { get; } = new();

    public void VerifyAccess()
    {
    }

    public void Invoke(Action<object?> continuation, object? state, bool withContext) => continuation(state);

    public void InputResultReady()
    {
    }

    public void OutputResultReady()
    {
    }

    public IOException CreateReadError() => new();

    public long Tick => 0;

    public bool Defer(Action<object?> callback, object? state)
    {
        callback(state);
        return true;
    }

    public void DelayOutputResult()
    {
    }

    public void InputAdvanced(long consumed)
    {
    }

    public void InputCompleted(Exception? error)
    {
    }

    public void OutputAdvanced()
    {
    }

    public void OutputCompleted(Exception? error)
    {
    }
}
