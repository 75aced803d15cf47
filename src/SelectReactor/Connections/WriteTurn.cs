using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <summary>A write that waits for those before it. For the reactor's thread only.</summary>
internal sealed class WriteTurn
{
    private readonly Reactor _reactor;
    private readonly LinkedListNode<WriteTurn> _place;
    private readonly ReactorCompletion<bool> _completion;
    private readonly CancellationToken _token;
    private readonly CancellationTokenRegistration _registration;

    public WriteTurn(Reactor reactor, LinkedList<WriteTurn> waiting, CancellationToken token)
    {
        _reactor = reactor;
        _completion = new ReactorCompletion<bool>(reactor);
        _place = waiting.AddLast(this);
        _token = token;
        _registration = token.UnsafeRegister(static self => ((WriteTurn)self!).CancelLater(), this);
    }

    public Task<bool> Task => _completion.Task;

    /// <summary>Lets the write go on, in a later phase of the loop.</summary>
    public void End(bool isGiven)
    {
        Leave();
        _completion.SetResult(isGiven);
    }

    // The token may be cancelled on any thread.
    private void CancelLater() => _reactor.TryPost(static self => ((WriteTurn)self!).Cancel(), this);

    private void Cancel()
    {
        if (_place.List is not null)
        {
            Leave();
            _completion.SetCanceled(new OperationCanceledException(_token));
        }
    }

    private void Leave()
    {
        _place.List!.Remove(_place);
        _registration.Unregister();
    }
}
