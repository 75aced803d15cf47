using System.Diagnostics.CodeAnalysis;

namespace SelectReactor.Clients;

/// <summary>The requests that wait to be sent, in their order. Those whose senders have given up neither count nor
/// stay. The reactor's thread, but for <see cref="Count"/>.</summary>
internal sealed class WaitingRequests<TRequest, TResponse>
{
    private readonly Queue<PendingRequest<TRequest, TResponse>> _requests = new();

    /// <summary>How many in the queue were cancelled.</summary>
    private int _cancelled;

    /// <summary>Any thread.</summary>
    public int Count => Math.Max(_requests.Count - Volatile.Read(ref _cancelled), 0);

    public void Add(PendingRequest<TRequest, TResponse> request) => _requests.Enqueue(request);

    public bool TryPeek([NotNullWhen(true)] out PendingRequest<TRequest, TResponse>? request)
    {
        while (_requests.TryPeek(out request) && request.IsCompleted)
        {
            _requests.Dequeue();
            _cancelled--;
        }

        return request is not null;
    }

    public bool TryTake([NotNullWhen(true)] out PendingRequest<TRequest, TResponse>? request) =>
        TryPeek(out request) && _requests.TryDequeue(out request);

    /// <summary>To be called when one that waits was cancelled.</summary>
    public void NoteCancelled()
    {
        _cancelled++;
        if (_cancelled <= _requests.Count / 2)
        {
            return;
        }

        // So each one is moved a constant number of times on average.
        for (int left = _requests.Count; left > 0; left--)
        {
            PendingRequest<TRequest, TResponse> request = _requests.Dequeue();
            if (!request.IsCompleted)
            {
                _requests.Enqueue(request);
            }
        }

        _cancelled = 0;
    }
}
