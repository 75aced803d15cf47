namespace SelectReactor.Dispatch;

/// <summary>
/// Work that the reactor's thread has put off for itself, first in, first out. It is separate from the mailbox, so
/// that a flood of posts from other threads does not delay it. For the reactor's thread only.
/// </summary>
internal sealed class ResumeQueue(LateWork late)
{
    private readonly Queue<WorkItem> _items = new();
    private bool _hasEnded;

    public int Count => _items.Count;

    public void Add(WorkItem item)
    {
        if (_hasEnded)
        {
            late.Add(item);
        }
        else
        {
            _items.Enqueue(item);
        }
    }

    public WorkItem Take() => _items.Dequeue();

    /// <summary>The loop will take nothing more: what is left, and whatever comes, is late work.</summary>
    public void End()
    {
        _hasEnded = true;
        while (_items.TryDequeue(out WorkItem item))
        {
            late.Add(item);
        }
    }
}
