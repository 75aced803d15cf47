namespace SelectReactor.Selection;

/// <summary>
/// Decides which sockets a wait asks for. Most connections of a server are idle, and asking for an idle one costs as
/// much as asking for a busy one. So the sockets that were ready lately, the hot ones, are asked each time. The others
/// are looked at in slices, as many as the <see cref="ScanBudget"/> allows, and all are waited for when nothing is
/// going on.
/// </summary>
internal sealed class HotSet(SocketPoll poll, ScanBudget budget)
{
    /// <summary>Up to this many members, asking for all of them costs no more than keeping a hot set.</summary>
    public const int MaxMembersWithout = 64;

    private const int LooksPerCoolDown = 8;

    private int _nextCoolDown;

    /// <summary>Whether the last look at cold sockets found one that was ready. A loop that has nothing else to do
    /// then waits for all of them sooner.</summary>
    private bool _coldIsActive;

    /// <summary>The longest wait that one system call is asked for while a timer is running.</summary>
    public TimeSpan MaxWait => budget.MaxWait;

    /// <returns>Whether anything happened, a wake-up included. It may return early with nothing.</returns>
    public bool Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        if (poll.Readers.Members <= MaxMembersWithout)
        {
            return poll.Select(Asked.All, wait, ready);
        }

        if (poll.Looks - _nextCoolDown >= 0)
        {
            _nextCoolDown = poll.Looks + LooksPerCoolDown;
            CoolDown();
        }

        int cold = poll.Readers.Members - poll.Readers.Hot;
        if (cold == 0)
        {
            return poll.Select(Asked.Hot, wait, ready);
        }

        budget.Begin(((cold - 1) / poll.MaxSlice) + 1);
        bool any = SelectSome(wait, ready);
        budget.End();
        return any;
    }

    private bool SelectSome(TimeSpan wait, List<SelectorEntry> ready)
    {
        if (wait != TimeSpan.Zero && (_coldIsActive ? budget.CoversIdleRound : budget.CoversRound))
        {
            if (poll.Select(Asked.Hot, TimeSpan.Zero, ready))
            {
                SelectSlices(ready);
                return true;
            }

            budget.SpendRound();
            bool anyOfAll = poll.Select(Asked.All, wait, ready);
            _coldIsActive = WarmUp(0, ready);
            return anyOfAll;
        }

        bool any = SelectSlices(ready);
        TimeSpan untilRound = _coldIsActive ? budget.UntilIdleRound : budget.UntilRound;
        TimeSpan hotWait = any ? TimeSpan.Zero : wait;
        if (hotWait != TimeSpan.Zero && (hotWait < TimeSpan.Zero || hotWait > untilRound))
        {
            hotWait = untilRound;
        }

        return poll.Select(Asked.Hot, hotWait, ready) || any;
    }

    private bool SelectSlices(List<SelectorEntry> ready)
    {
        bool any = false;
        for (int slices = budget.Slices; slices > 0; slices--)
        {
            int before = ready.Count;
            budget.BeginSlice();
            any |= poll.Select(Asked.Slice, TimeSpan.Zero, ready);
            budget.EndSlice();
            _coldIsActive |= WarmUp(before, ready);
        }

        return any;
    }

    /// <returns>Whether a cold one was among them.</returns>
    private bool WarmUp(int first, List<SelectorEntry> ready)
    {
        int hotBefore = poll.Readers.Hot;
        for (int i = first; i < ready.Count; i++)
        {
            SelectorEntry entry = ready[i];
            if ((entry.Ready & Interest.Read) != 0 && !entry.IsEvicted
                && WatchedSocket.Of(entry) is { ReadIndex: >= 0 } watched)
            {
                poll.Readers.MakeHot(watched);
            }
        }

        return poll.Readers.Hot > hotBefore;
    }

    private void CoolDown()
    {
        for (int i = poll.Readers.Hot - 1; i >= 0; i--)
        {
            if (poll.Readers.HotAt(i) is { Handle.IsListening: false } watched
                && poll.Looks - watched.HotUntil > 0)
            {
                poll.Readers.MakeCold(i);
            }
        }
    }
}
