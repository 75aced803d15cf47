using System.IO.Pipelines;

namespace SelectReactor.Dispatch;

/// <summary>Lets a pipe of the user run its callbacks on the reactor's thread.</summary>
internal sealed class ReactorPipeScheduler(Reactor reactor) : PipeScheduler
{
    // A pipe calls this while somebody writes or reads at its other end, who is not to blame for the reactor's end.
    public override void Schedule(Action<object?> action, object? state) =>
        reactor.PostAlways(new WorkItem(action, state));
}
