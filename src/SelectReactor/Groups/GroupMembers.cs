namespace SelectReactor.Groups;

/// <summary>The reactors of a group, and which of them is next. Any thread.</summary>
internal sealed class GroupMembers(IReadOnlyList<GroupMember> all)
{
    private readonly Lock _draining = new();
    private int _next;
    private volatile bool _isEnding;

    public IReadOnlyList<GroupMember> All => all;

    /// <summary>Whether the end of the whole group has begun.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>Whether new connections may be given to any.</summary>
    public bool TakesClients => all.Any(static member => member.TakesClients);

    /// <summary>In turn.</summary>
    /// <returns>Null if none takes clients.</returns>
    public GroupMember? Next()
    {
        for (int i = 0; i < all.Count; i++)
        {
            GroupMember member = all[Step()];
            if (member.TakesClients)
            {
                return member;
            }
        }

        return null;
    }

    /// <summary>The one with the fewest connections; of several, each in turn.</summary>
    /// <returns>Null if none takes clients.</returns>
    public GroupMember? LeastLoaded()
    {
        GroupMember? least = null;
        int leastLoad = int.MaxValue;
        int first = Step();
        for (int i = 0; i < all.Count; i++)
        {
            GroupMember member = all[(first + i) % all.Count];
            int load = member.Load;
            if (load < leastLoad && member.TakesClients)
            {
                (least, leastLoad) = (member, load);
            }
        }

        return least;
    }

    /// <summary>The one that is to accept for all, or in place of another: better one that takes clients.</summary>
    /// <returns>Null if no loop goes on.</returns>
    public GroupMember? Acceptor() => LeastLoaded() ?? all.FirstOrDefault(static member => member.IsRunning);

    /// <summary>From now on the end of a member is that of its sockets.</summary>
    public void End() => _isEnding = true;

    /// <summary>Gives a member no more clients.</summary>
    /// <exception cref="InvalidOperationException">It is the last one that takes any.</exception>
    public void Drain(GroupMember drained)
    {
        lock (_draining)
        {
            if (drained.TakesClients && all.Count(static member => member.TakesClients) == 1)
            {
                throw new InvalidOperationException(
                    "It is the last reactor of the group that takes clients. Use ShutdownAsync to end the group.");
            }

            drained.StopTaking();
        }
    }

    private int Step() => (int)((uint)Interlocked.Increment(ref _next) % (uint)all.Count);
}
