namespace SelectReactor.Dispatch;

/// <summary>Brings the code after an <c>await</c> back to the reactor's thread.</summary>
internal sealed class ReactorSynchronizationContext(Reactor reactor) : SynchronizationContext
{
    // The caller cannot handle an exception: thrown from the continuation of an await it would end the process.
    public override void Post(SendOrPostCallback d, object? state) => reactor.PostAlways(WorkItem.OfAwait(d, state));

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
}
