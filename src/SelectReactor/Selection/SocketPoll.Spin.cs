namespace SelectReactor.Selection;

/// <content>What ends every wait at once, so that the loop would spin.</content>
internal sealed partial class SocketPoll
{
    /// <summary>After this many waits in a row that ended with nothing, each socket is checked.</summary>
    private const int MaxEmptyReturns = 1000;

    /// <summary>After this many waits in a row that ended with nothing and before their time, the writers are
    /// reported.</summary>
    private const int MaxEarlyReturns = 4;

    private readonly ErrorPause<WatchedSocket> _paused = new();
    private int _emptyReturns;
    private int _earlyReturns;

    // A descriptor that was closed with close(2), past its Socket, ends every wait at once and is never in the list
    // afterwards. Waits may end with nothing for other reasons too, so the sockets are checked after many of them.
    // A writer whose peer has hung up (POLLHUP) while its send buffer is full does the same: its next send tells. So
    // does a datagram socket with nothing but an error (POLLERR), such as an unreachable peer: its next receive tells.
    // What no call takes away is paused.
    // The caller learns of a renewed wake-up, since a signal to the old one is lost.
    // A wait for the hot ones that lasts its time says nothing about the others.
    private bool EndSpin(bool any, bool isEarly, Asked asked, List<SelectorEntry> ready)
    {
        _emptyReturns = any ? 0 : _emptyReturns + 1;
        if (isEarly)
        {
            _earlyReturns++;
        }
        else if (any || asked == Asked.All)
        {
            _earlyReturns = 0;
        }

        if (_emptyReturns >= MaxEmptyReturns)
        {
            _emptyReturns = 0;
            any |= EvictBroken(ready);
        }

        if (isEarly && _earlyReturns % MaxEarlyReturns == 0)
        {
            ReportWriters(ready);
        }

        if (isEarly && asked == Asked.All)
        {
            // At once: while other sockets are active, waits for all are rare.
            ReportDatagramErrors(ready);
        }

        if (_earlyReturns >= ErrorPause<WatchedSocket>.MaxInARow)
        {
            _earlyReturns = 0;
            PauseErrors(Readers);
            PauseErrors(_writers);
        }

        return any || ready.Count > 0;
    }

    private void ReportWriters(List<SelectorEntry> ready)
    {
        for (int i = 0; i < _writers.Members; i++)
        {
            WatchedSocket watched = _writers.MemberAt(i)!;
            if ((watched.Entry.Interest & Interest.Write) != 0)
            {
                watched.Report(Interest.Write, ready);
            }
        }
    }

    private void ReportDatagramErrors(List<SelectorEntry> ready)
    {
        for (int i = 0; i < Readers.Members; i++)
        {
            if (Readers.MemberAt(i) is { Handle.HasDatagramError: true } watched)
            {
                watched.Report(Interest.Read, ready);
            }
        }
    }

    private void PauseErrors(SocketList list)
    {
        for (int i = list.Members - 1; i >= 0; i--)
        {
            if (list.MemberAt(i) is { Handle.HasError: true } watched)
            {
                Move(watched, watched.Entry.Interest, Interest.None);
                _paused.Add(watched);
            }
        }
    }

    // They are watched again, so that what has come in the meantime is reported. After a pause one early end is enough
    // for the next pause.
    private void EndPauses()
    {
        while (_paused.TryTakeDue(out WatchedSocket? watched))
        {
            Move(watched, Interest.None, watched.Entry.Interest);
            _earlyReturns = ErrorPause<WatchedSocket>.MaxInARow - 1;
        }
    }

    /// <returns>Whether there was a broken one.</returns>
    private bool EvictBroken(List<SelectorEntry> ready)
    {
        Evict(static handle => handle.IsBroken, ready);
        bool renews = _wakeUp.IsBroken;
        if (renews)
        {
            RenewWakeUp(hasOtherWork: true);
        }

        return renews || ready.Count > 0;
    }

    private void Evict(Func<SocketHandle, bool> isLost, List<SelectorEntry> ready)
    {
        Evict(Readers, isLost, ready);
        Evict(_writers, isLost, ready);
    }

    private void Evict(SocketList list, Func<SocketHandle, bool> isLost, List<SelectorEntry> ready)
    {
        for (int i = list.Members - 1; i >= 0; i--)
        {
            if (list.MemberAt(i) is { } watched && isLost(watched.Handle))
            {
                Remove(watched);
                watched.Report(watched.Entry.Interest, ready);
                watched.Entry.Evict();
            }
        }
    }
}
