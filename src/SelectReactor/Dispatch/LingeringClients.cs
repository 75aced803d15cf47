namespace SelectReactor.Dispatch;

/// <summary>A connection that only lingers: the system has all of its output, and it waits for its peer.</summary>
internal interface ILingering
{
    /// <summary>Closes in good order, by the end of the tick. The list has forgotten it already. Must not
    /// throw.</summary>
    /// <param name="why">For the error, if the peer does not have everything yet.</param>
    void EndLinger(string why);
}

/// <summary>
/// The lingering connections of a reactor, in the order in which they began. Clients that keep their sockets must not
/// use up the descriptors of the process, so their number has a limit, and they end first where descriptors are short.
/// For the reactor's thread only.
/// </summary>
internal sealed class LingeringClients(int limit)
{
    /// <summary>So many end at once for want of descriptors: about as many as one tick accepts.</summary>
    public const int Batch = 64;

    private readonly LinkedList<ILingering> _oldestFirst = [];

    public int Count => _oldestFirst.Count;

    /// <summary>The client lingers from now on. At the limit the oldest ends.</summary>
    public LinkedListNode<ILingering> Add(ILingering client)
    {
        if (Count >= limit)
        {
            EndOldest($"More connections lingered than {nameof(ReactorOptions.MaxLingeringConnections)} allows.");
        }

        return _oldestFirst.AddLast(client);
    }

    /// <summary>The client has ended. One that is forgotten already is no error.</summary>
    public void Remove(LinkedListNode<ILingering> client)
    {
        if (client.List is not null)
        {
            _oldestFirst.Remove(client);
        }
    }

    /// <summary>Ends the oldest. Their descriptors are free after the tick.</summary>
    /// <returns>False if none lingers.</returns>
    public bool TryFreeDescriptors()
    {
        bool isAny = Count > 0;
        for (int ended = 0; ended < Batch && Count > 0; ended++)
        {
            EndOldest("The process had no descriptor left for another connection.");
        }

        return isAny;
    }

    private void EndOldest(string why)
    {
        ILingering oldest = _oldestFirst.First!.Value;
        _oldestFirst.RemoveFirst();
        oldest.EndLinger(why);
    }
}
