using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <content>The slow way, for more sockets than one system call takes.</content>
internal sealed partial class SocketPoll
{
    private static readonly TimeSpan _partWait = TimeSpan.FromMilliseconds(5);

    public PollLimit Limit { get; } = new();

    // One part after the other is asked without waiting. If none is ready, it waits for the first part alone, for a
    // short time: that part holds the wake-up and the readers that were ready lately.
    private bool SelectInParts(bool hotOnly, TimeSpan wait, List<SelectorEntry> ready)
    {
        bool any = SelectParts(Readers, hotOnly ? Readers.Hot : Readers.Members, ready);
        any |= SelectParts(_writers, _writers.Members, ready);
        if (any || wait == TimeSpan.Zero)
        {
            return any;
        }

        TimeSpan shortWait = wait > TimeSpan.Zero && wait < _partWait ? wait : _partWait;
        int next = 0;
        return SelectPart(Readers, ref next, Readers.Hot, shortWait, ready);
    }

    private bool SelectParts(SocketList list, int count, List<SelectorEntry> ready)
    {
        bool any = false;
        for (int next = 0; next < count;)
        {
            any |= SelectPart(list, ref next, count, TimeSpan.Zero, ready);
        }

        return any;
    }

    private bool SelectPart(SocketList list, ref int next, int end, TimeSpan wait, List<SelectorEntry> ready)
    {
        bool reads = list == Readers;
        int size = Math.Min(Limit.Max, end - next);
        list.Rewind(next, size);
        try
        {
            Socket.Select(reads ? list : null, reads ? null : list, null, ToMicroseconds(wait));
        }
        catch (SocketException error) when (PollLimit.Explains(error, size))
        {
            Limit.Lower(size);
            return false;
        }

        next += size;
        bool woken = reads && CollectReaders(ready);
        if (!reads)
        {
            CollectWriters(ready);
        }

        return woken || ready.Count > 0;
    }
}
