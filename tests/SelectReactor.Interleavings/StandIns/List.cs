using SelectReactor.Dispatch;
using SelectReactor.Interleavings.Exploration;

namespace SelectReactor;

/// <summary>In place of the framework's: an item is added in two steps, so that the mailbox is found out when it does
/// that without its lock.</summary>
public sealed class List<T> : System.Collections.Generic.List<T>
{
    private static readonly bool _isShared = typeof(T) == typeof(WorkItem);

    public new void Add(T item)
    {
        if (_isShared)
        {
            Worker.Pause("begins to add to a list");
            int last = Count;
            Worker.Pause("adds to a list");
            while (Count < last)
            {
                base.Add(default!);
            }

            RemoveRange(last, Count - last);
        }

        base.Add(item);
    }

    public new void Clear()
    {
        if (_isShared)
        {
            Worker.Pause("clears a list");
        }

        base.Clear();
    }
}
