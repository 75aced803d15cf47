namespace SelectReactor.Dispatch;

/// <summary>
/// Callbacks for the reactor's thread, posted by any thread: first in, first out, for each thread that posts.
/// </summary>
internal sealed class Mailbox
{
    // 64 KiB in each of the two lists.
    private const int WorthTrimming = 4096;
    private readonly Lock _gate = new();
    private List<WorkItem> _incoming = [];
    private List<WorkItem> _current = [];
    private int _next;
    private int _incomingCount;
    private int _largest;
    private bool _closed;

    /// <summary>Whether there is nothing to take. The reactor's thread.</summary>
    public bool IsEmpty => _next == _current.Count && Volatile.Read(ref _incomingCount) == 0;

    /// <summary>Whether a burst has left so much memory that it should be freed in time, by <see cref="Trim"/>. The
    /// reactor's thread.</summary>
    public bool IsWorthTrimming => _largest > WorthTrimming;

    /// <summary>How many callbacks wait. Any thread; on another one it may be a moment old.</summary>
    public int Depth => Volatile.Read(ref _incomingCount) + Math.Max(0, _current.Count - _next);

    /// <summary>How many callbacks fit without more memory. Any thread.</summary>
    public int Capacity
    {
        get
        {
            lock (_gate)
            {
                return _incoming.Capacity + _current.Capacity;
            }
        }
    }

    /// <summary>Any thread.</summary>
    /// <returns>False, and nothing was queued, once the mailbox is closed.</returns>
    public bool TryPost(WorkItem item)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            _incoming.Add(item);
            _incomingCount = _incoming.Count;
            return true;
        }
    }

    /// <summary>How many callbacks the next calls of <see cref="Take"/> yield. Later posts are not among them. The
    /// reactor's thread.</summary>
    public int Snapshot()
    {
        if (_next == _current.Count)
        {
            _current.Clear();
            _next = 0;
            if (Volatile.Read(ref _incomingCount) != 0)
            {
                lock (_gate)
                {
                    (_current, _incoming) = (_incoming, _current);
                    _incomingCount = 0;
                }

                _largest = Math.Max(_largest, _current.Count);
            }
        }

        return _current.Count - _next;
    }

    public WorkItem Take()
    {
        WorkItem item = _current[_next];
        _current[_next++] = default;
        return item;
    }

    /// <summary>Frees the memory of the lists that are empty. The reactor's thread.</summary>
    public void Trim()
    {
        _largest = 0;
        lock (_gate)
        {
            if (_incoming.Count == 0)
            {
                _incoming = [];
            }

            if (_next == _current.Count)
            {
                (_current, _next) = ([], 0);
            }
        }
    }

    /// <summary>Refuses all further posts. What is queued can still be taken.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }
    }
}
