using System.IO.Pipelines;

namespace SelectReactor.Dispatch;

/// <summary>Lets a pipe of the user's run its callbacks on the reactor's thread.</summary>
internal sealed class ReactorPipeScheduler(Reactor reactor) : PipeScheduler
{
    public override void Schedule(Action<object?> action, object? state) => reactor.Post(action, state);
}
