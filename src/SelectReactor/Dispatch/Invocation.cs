namespace SelectReactor.Dispatch;

/// <summary>A call that another thread may ask for. It runs on the reactor's thread, in the execution context of its
/// caller.</summary>
/// <typeparam name="T">The type of the result; any type for a call without one.</typeparam>
/// <param name="reactor">Whose thread it is.</param>
/// <param name="given">What the user gave, which messages name.</param>
internal abstract class Invocation<T>(Reactor reactor, Delegate given) : INamedCall
{
    Delegate INamedCall.Function => given;

    public Task<T> Task => Completion.Task;

    protected ReactorCompletion<T> Completion { get; } = new(reactor);

    protected CallerContext Context { get; } = CallerContext.Capture();

    public abstract void Run();
}
