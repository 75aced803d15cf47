namespace SelectReactor.Dispatch;

/// <summary>Brings the code after an <c>await</c> back to the reactor's thread.</summary>
internal sealed class ReactorSynchronizationContext(Reactor reactor) : SynchronizationContext
{
    // Whoever posts here can't handle an exception: thrown from the continuation of an await it would end the process.
    // The code after that await must run somewhere, so after the reactor's end it runs on the thread pool.
    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!reactor.TryPost(static work => ((Work)work!).Run(), new Work(d, state)))
        {
            ReactorLog.PostedAfterDispose(reactor.Logger);
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.Run(), new Work(d, state), preferLocal: false);
        }
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (reactor.IsReactorThread)
        {
            d(state);
            return;
        }

        reactor.InvokeAsync(() =>
        {
            d(state);
            return true;
        }).GetAwaiter().GetResult();
    }

    public override SynchronizationContext CreateCopy() => this;

    private sealed record Work(SendOrPostCallback Callback, object? State)
    {
        public void Run() => Callback(State);
    }
}
