using System.Collections.Concurrent;

namespace SelectReactor.Dispatch;

/// <summary>
/// The thread that takes the samples of all watched loops of the process and writes their messages. It is made with
/// the first of them, because a process that has run out of descriptors can't make a thread: a timer or the thread
/// pool, which make theirs late, would end the process then. While no loop is busy it waits without end. It keeps no
/// reactor alive. A logger that blocks holds up the messages of the other loops too, and nothing else.
/// </summary>
/// <param name="start">Starts the thread.</param>
internal sealed class WatchThread(Action<Thread> start)
{
    private const int StackBytes = 512 * 1024;
    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<WeakReference<LoopWatch>> _added = new();

    /// <summary>Of the thread alone.</summary>
    private readonly List<WeakReference<LoopWatch>> _watches = [];
    private readonly object _signal = new();
    private bool _isWoken;
    private bool _isStarted;

    public static WatchThread Shared { get; } = new(static thread => thread.UnsafeStart());

    /// <summary>Makes the thread, unless there is one.</summary>
    /// <returns>False if the system can't make a thread.</returns>
    public bool TryStart()
    {
        lock (_gate)
        {
            if (_isStarted)
            {
                return true;
            }

            try
            {
                start(new Thread(Run, StackBytes) { IsBackground = true, Name = "SelectReactor watch" });
                return _isStarted = true;
            }
            catch (Exception error) when (error is OutOfMemoryException or ThreadStartException)
            {
                return false;
            }
        }
    }

    /// <summary>Samples this loop from now on, until its watch ends or is collected.</summary>
    public void Add(LoopWatch watch)
    {
        _added.Enqueue(new WeakReference<LoopWatch>(watch));
        Wake();
    }

    /// <summary>A watch has something to do. Any thread.</summary>
    public void Wake()
    {
        lock (_signal)
        {
            _isWoken = true;
            Monitor.Pulse(_signal);
        }
    }

    private void Run()
    {
        while (true)
        {
            TimeSpan wait = VisitAll();
            lock (_signal)
            {
                if (!_isWoken)
                {
                    Monitor.Wait(_signal, wait);
                }

                _isWoken = false;
            }
        }
    }

    // A method of its own, so that no watch is on the stack during the wait.
    private TimeSpan VisitAll()
    {
        while (_added.TryDequeue(out WeakReference<LoopWatch>? added))
        {
            _watches.Add(added);
        }

        TimeSpan next = Timeout.InfiniteTimeSpan;
        for (int i = _watches.Count - 1; i >= 0; i--)
        {
            if (!_watches[i].TryGetTarget(out LoopWatch? watch) || watch.HasEnded)
            {
                _watches[i] = _watches[^1];
                _watches.RemoveAt(_watches.Count - 1);
                continue;
            }

            TimeSpan wait = Visit(watch);
            next = next == Timeout.InfiniteTimeSpan || (wait >= TimeSpan.Zero && wait < next) ? wait : next;
        }

        return next;
    }

    private static TimeSpan Visit(LoopWatch watch)
    {
        try
        {
            return watch.Visit();
        }
        catch (Exception)
        {
            // For example out of memory, or a listener of Trace that fails. It would end the process.
            return watch.Period;
        }
    }
}
