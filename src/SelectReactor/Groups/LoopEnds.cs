using SelectReactor.Dispatch;

namespace SelectReactor.Groups;

/// <summary>Takes note of the ends of a group's reactors, and tells of those that have failed. Any thread.</summary>
internal sealed class LoopEnds
{
    private readonly int _count;
    private readonly TaskCompletionSource _firstFault = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;

    public LoopEnds(int count)
    {
        _count = count;
        _left = count;
    }

    /// <summary>Fails when the first reactor has failed; completes when all have ended and none has failed.</summary>
    public Task FirstFault => _firstFault.Task;

    /// <summary>Null until all are made.</summary>
    public GroupMembers? Members { get; set; }

    /// <summary>A reactor has ended.</summary>
    public void Note(int index, Reactor reactor)
    {
        int left = Interlocked.Decrement(ref _left);
        if (reactor.Fault is { } fault)
        {
            ReactorLog.GroupReactorFailed(reactor.Logger, index + 1, _count, DescribeRest(left), fault);
            if (_firstFault.TrySetException(fault))
            {
                // It is logged: nobody has to look at the task.
                _ = _firstFault.Task.Exception;
            }
        }

        if (left == 0)
        {
            _firstFault.TrySetResult();
        }
    }

    private string DescribeRest(int left) => Members switch
    {
        { IsEnding: true } => "The group is ending.",
        _ when left == 0 => "No other is left: the group serves nobody any more.",
        { TakesClients: false } => "No other takes clients: they are refused from now on.",
        _ => $"The group goes on with {left}, which take over its listeners.",
    };
}
