namespace SelectReactor.Clients;

/// <summary>The callers that wait for a connection of a pool, in their order, each for a bounded time. The reactor's
/// thread, but for <see cref="Count"/>.</summary>
internal sealed class RentQueue(Reactor reactor, TimeSpan timeout, Func<Exception> lateError)
{
    private readonly LinkedList<(LoopWait<ConnectionLease> Rent, ReactorTimer? Timeout)> _rents = [];
    private int _count;

    /// <summary>Any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    public void Add(LoopWait<ConnectionLease> rent)
    {
        var node = new LinkedListNode<(LoopWait<ConnectionLease> Rent, ReactorTimer? Timeout)>((rent, null));
        _rents.AddLast(node);
        _count++;
        rent.Begin(() => Remove(node));
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            node.ValueRef.Timeout = reactor.Schedule(timeout, () =>
            {
                Remove(node);
                rent.SetException(lateError());
            });
        }
    }

    /// <summary>Takes the first one out. Null if there is none.</summary>
    public LoopWait<ConnectionLease>? Take()
    {
        if (_rents.First is not { } node)
        {
            return null;
        }

        Remove(node);
        return node.Value.Rent;
    }

    private void Remove(LinkedListNode<(LoopWait<ConnectionLease> Rent, ReactorTimer? Timeout)> node)
    {
        _rents.Remove(node);
        _count--;
        node.Value.Timeout?.Cancel();
    }
}
