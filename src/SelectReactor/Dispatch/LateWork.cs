using Microsoft.Extensions.Logging;

namespace SelectReactor.Dispatch;

/// <summary>
/// What is posted after the reactor's end by code that cannot be told so, such as an await or a pipe. Somebody waits
/// for it, so it must run: on the thread pool, one item at a time and in order, as it would have run on the reactor's
/// thread. Any thread.
/// </summary>
internal sealed class LateWork(ILogger logger, SynchronizationContext context) : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly Queue<WorkItem> _items = new();

    // The reactor's context is current here too, so that the code after the next await is queued here again.
    private readonly CallbackGuard _guard = new(logger, propagatesExceptions: false, context, new LoopProgress());
    private bool _isOpen;
    private bool _isRunning;
    private bool _hasWarned;

    public void Add(WorkItem item)
    {
        bool warns;
        lock (_gate)
        {
            _items.Enqueue(item);
            (warns, _hasWarned) = (!_hasWarned, true);
            StartIfIdle();
        }

        if (warns)
        {
            ReactorLog.PostedAfterDispose(logger);
        }
    }

    /// <summary>The reactor's thread has run its last callback: from now on the pool may.</summary>
    public void Open()
    {
        lock (_gate)
        {
            _isOpen = true;
            StartIfIdle();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        CallbackGuard.Ambient outer = _guard.Enter();
        while (TryTake(out WorkItem item))
        {
            _guard.Run(item, ReactorLog.CallbackFault);
        }

        _guard.Leave(outer);
    }

    private bool TryTake(out WorkItem item)
    {
        lock (_gate)
        {
            return _isRunning = _items.TryDequeue(out item);
        }
    }

    private void StartIfIdle()
    {
        if (_isOpen && !_isRunning && _items.Count > 0)
        {
            _isRunning = true;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
