using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <summary>Lets writes that overlap follow each other in the order of their calls. For the reactor's thread
/// only.</summary>
internal sealed class WriteTurns(Reactor reactor)
{
    private Queue<ReactorCompletion<bool>>? _waiting;

    /// <summary>Whether a write is under way.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>Takes the turn, at once or after the writes that came before. <see cref="Leave"/> must
    /// follow.</summary>
    public ValueTask EnterAsync()
    {
        if (!IsTaken)
        {
            IsTaken = true;
            return ValueTask.CompletedTask;
        }

        var turn = new ReactorCompletion<bool>(reactor);
        _waiting ??= new Queue<ReactorCompletion<bool>>();
        _waiting.Enqueue(turn);
        return new ValueTask(turn.Task);
    }

    /// <summary>Passes the turn on. The next write continues in a later phase of the loop.</summary>
    public void Leave()
    {
        if (_waiting is not null && _waiting.TryDequeue(out ReactorCompletion<bool>? next))
        {
            next.SetResult(true);
        }
        else
        {
            IsTaken = false;
        }
    }
}
