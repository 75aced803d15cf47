namespace SelectReactor.Dispatch;

/// <summary>A callback with its argument.</summary>
internal readonly struct WorkItem
{
    // Both delegates have the same shape. To keep either as it is spares a wrapper for each await that posts.
    private readonly Delegate _callback;

    public WorkItem(Action<object?> callback, object? state)
        : this((Delegate)callback, state)
    {
    }

    private WorkItem(Delegate callback, object? state)
    {
        _callback = callback;
        State = state;
    }

    public Delegate Code => _callback;

    public object? State { get; }

    public static WorkItem OfAwait(SendOrPostCallback callback, object? state) => new((Delegate)callback, state);

    public void Run()
    {
        if (_callback is SendOrPostCallback posted)
        {
            posted(State);
        }
        else
        {
            ((Action<object?>)_callback)(State);
        }
    }
}
