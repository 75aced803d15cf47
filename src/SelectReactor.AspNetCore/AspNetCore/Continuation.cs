namespace SelectReactor.AspNetCore;

/// <summary>What a pipe wants to be run.</summary>
internal readonly record struct Continuation(Action<object?> Action, object? State)
{
    public void Run() => Action(State);
}
