namespace SelectReactor.Clients;

/// <summary>A request whose sender waits for the response. If the sender has given up, the response is still
/// awaited: it stands before the next one.</summary>
internal sealed class PendingRequest<TRequest, TResponse>(
    Reactor reactor, TRequest request, CancellationToken cancellationToken)
    : LoopWait<TResponse>(reactor, cancellationToken)
{
    private TRequest? _request = request;

    /// <summary>The timestamp at which its time began. Set when the loop takes the request over.</summary>
    public long StartedAt { get; set; }

    /// <summary>Whether it was taken out to be sent.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>The request, which is not kept any longer.</summary>
    public TRequest TakeRequest()
    {
        TRequest request = _request!;
        _request = default;
        IsTaken = true;
        return request;
    }
}
