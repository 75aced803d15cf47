namespace SelectReactor.Dispatch;

/// <summary>
/// Work that the reactor's thread has put off for itself, first in, first out. It is separate from the mailbox, so that a
/// flood of posts from other threads does not delay it. For the reactor's thread only.
/// </summary>
internal sealed class ResumeQueue
{
    private readonly Queue<IResumable> _items = new();

    public int Count => _items.Count;

    public void Add(IResumable item) => _items.Enqueue(item);

    public IResumable Take() => _items.Dequeue();
}
