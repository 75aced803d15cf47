using System.IO.Pipelines;
using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore;

/// <summary>
/// Runs the continuations of pipes on a reactor's thread: at once on that thread itself. Those of other threads are
/// collected, and the loop is woken by a work item of the thread pool: the items that wait there before it, which are
/// other requests, run first, so that one wake-up serves the responses of all of them.
/// </summary>
internal sealed class LoopScheduler(Reactor reactor, ILogger logger) : PipeScheduler, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private List<Continuation> _incoming = [];
    private List<Continuation> _current = [];
    private bool _isWaking;

    public override void Schedule(Action<object?> action, object? state)
    {
        if (reactor.IsReactorThread)
        {
            action(state);
            return;
        }

        lock (_gate)
        {
            _incoming.Add(new Continuation(action, state));
            if (_isWaking)
            {
                return;
            }

            _isWaking = true;
        }

        System.Threading.ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => reactor.TryPost(static self => ((LoopScheduler)self!).Run(), this);

    private void Run()
    {
        lock (_gate)
        {
            _isWaking = false;
            (_current, _incoming) = (_incoming, _current);
        }

        // The code of the application that runs here, where it is chosen to, expects no context. After this callback
        // the loop restores its own.
        SynchronizationContext.SetSynchronizationContext(null);
        foreach (Continuation continuation in _current)
        {
            Run(continuation);
        }

        _current.Clear();
    }

    // One that fails must not keep the others, which belong to other connections, from their turn.
    private void Run(Continuation continuation)
    {
        try
        {
            continuation.Run();
        }
        catch (Exception exception)
        {
            TransportLog.ContinuationFailed(logger, exception);
        }
    }
}
