using System.Collections.Concurrent;
using System.IO.Pipelines;

namespace SelectReactor.AspNetCore;

/// <summary>Runs the continuations of pipes on the thread pool as <see cref="PipeScheduler.ThreadPool"/> does, without
/// an allocation for each: the queue holds them, and one work item stands for whichever is next.</summary>
internal sealed class PoolScheduler : PipeScheduler, IThreadPoolWorkItem
{
    private readonly ConcurrentQueue<Continuation> _continuations = [];

    public override void Schedule(Action<object?> action, object? state)
    {
        _continuations.Enqueue(new Continuation(action, state));
        System.Threading.ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (_continuations.TryDequeue(out Continuation continuation))
        {
            continuation.Run();
        }
    }
}
