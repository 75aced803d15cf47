using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <summary>The end of a connection as a task and as a token. Made when the first of them is asked for.</summary>
internal sealed class CloseNotice
{
    private readonly Action _cancel;
    private readonly ReactorCompletion<CloseReason> _completion;

    public CloseNotice(Reactor reactor)
    {
        // Without a timer or a wait handle a source has nothing to dispose of.
        var source = new CancellationTokenSource();
        _cancel = source.Cancel;
        Token = source.Token;
        _completion = new ReactorCompletion<CloseReason>(reactor);
    }

    /// <summary>Stands for the notice of a connection that is closed already.</summary>
    public static CloseNotice Given { get; } = new(null!);

    /// <summary>Any thread.</summary>
    public CancellationToken Token { get; }

    /// <summary>Any thread.</summary>
    public Task<CloseReason> Task => _completion.Task;

    /// <summary>Cancels the token.</summary>
    /// <exception cref="AggregateException">A callback that was registered on the token threw.</exception>
    public void Cancel() => _cancel();

    /// <summary>Completes the task.</summary>
    public void Complete(CloseReason reason) => _completion.SetResult(reason);
}
