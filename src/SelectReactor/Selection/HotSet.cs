namespace SelectReactor.Selection;

/// <summary>
/// Decides which sockets a wait asks for. Most connections of a server are idle, and asking for an idle one costs as
/// much as asking for a busy one. So the sockets that were ready lately, the hot ones, are asked first, and all of
/// them at intervals that the <see cref="ScanPacer"/> chooses.
/// </summary>
internal sealed class HotSet(SocketPoll poll, ScanPacer pacer)
{
    /// <summary>Up to this many members, asking for all of them costs no more than keeping a hot set.</summary>
    public const int MaxMembersWithout = 64;

    /// <summary>A member stays hot until this many full scans in a row found it quiet.</summary>
    public const int HotScans = 16;

    private bool _coldIsQuiet;

    /// <summary>The longest wait that one system call is asked for while a timer is running.</summary>
    public TimeSpan MaxWait => pacer.MaxWait;

    /// <returns>Whether anything happened, a wake-up included.</returns>
    public bool Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        if (poll.Readers.Members <= MaxMembersWithout)
        {
            return poll.Select(hotOnly: false, wait, ready);
        }

        TimeSpan rest = pacer.UntilScan();
        return rest > TimeSpan.Zero ? SelectHotFirst(wait, rest, ready) : Scan(wait, ready);
    }

    // While only hot sockets are active, it waits for those alone. Once cold ones were active too, it waits for all.
    private bool SelectHotFirst(TimeSpan wait, TimeSpan rest, List<SelectorEntry> ready)
    {
        bool waitIsShort = wait >= TimeSpan.Zero && wait <= rest;
        TimeSpan hotWait = !_coldIsQuiet ? TimeSpan.Zero : waitIsShort ? wait : rest;
        return poll.Select(hotOnly: true, hotWait, ready)
            || (hotWait != wait && Scan(wait < TimeSpan.Zero ? wait : wait - hotWait, ready));
    }

    private bool Scan(TimeSpan wait, List<SelectorEntry> ready)
    {
        bool measured = pacer.IsMeasurementDue;
        bool any = ScanOnce(measured ? TimeSpan.Zero : wait, measured, ready);
        if (measured && !any && wait != TimeSpan.Zero)
        {
            any = ScanOnce(wait, measured: false, ready);
        }

        WarmUp(ready);
        CoolDown();
        return any;
    }

    private bool ScanOnce(TimeSpan wait, bool measured, List<SelectorEntry> ready)
    {
        pacer.BeginScan();
        bool any = poll.Select(hotOnly: false, wait, ready);
        pacer.EndScan(measured);
        poll.Scans = pacer.Scans;
        return any;
    }

    private void WarmUp(List<SelectorEntry> ready)
    {
        int hotBefore = poll.Readers.Hot;
        foreach (SelectorEntry entry in ready)
        {
            if ((entry.Ready & Interest.Read) != 0 && !entry.IsEvicted)
            {
                poll.Readers.MakeHot(WatchedSocket.Of(entry));
            }
        }

        _coldIsQuiet = poll.Readers.Hot == hotBefore;
    }

    private void CoolDown()
    {
        for (int i = poll.Readers.Hot - 1; i >= 0; i--)
        {
            if (poll.Readers.MemberAt(i) is { Handle.IsListening: false } watched
                && pacer.Scans - watched.LastActiveScan > HotScans)
            {
                poll.Readers.MakeCold(i);
            }
        }
    }
}
