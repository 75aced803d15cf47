using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <content>Several system calls in place of one: slices of the cold readers, and the slow way for more sockets than
/// one call takes.</content>
internal sealed partial class SocketPoll
{
    /// <summary>From the next number on, <c>Socket.Select</c> allocates an array on each call.</summary>
    private const int MaxWithoutGarbage = 79;

    private static readonly TimeSpan _partWait = TimeSpan.FromMilliseconds(5);

    public PollLimit Limit { get; } = new();

    // If no part is ready, it waits for the first hot ones alone, for a short time: the wake-up is one of them.
    private bool SelectInParts(Asked asked, TimeSpan wait, List<SelectorEntry> ready)
    {
        bool any = SelectParts(asked, ready);
        if (any || wait == TimeSpan.Zero)
        {
            return any;
        }

        Readers.Show(Asked.Hot, 0, Math.Min(Readers.Hot, Limit.Max));
        TimeSpan shortWait = wait > TimeSpan.Zero && wait < _partWait ? wait : _partWait;
        return SelectShown(Readers, shortWait, ready, out any) && any;
    }

    // One part after the other is asked without waiting.
    private bool SelectParts(Asked asked, List<SelectorEntry> ready) =>
        SelectParts(Readers, asked, ready) | SelectParts(_writers, Asked.All, ready);

    private bool SelectParts(SocketList list, Asked asked, List<SelectorEntry> ready)
    {
        bool any = false;
        int count = list.CountOf(asked);
        for (int next = 0; next < count;)
        {
            int size = Math.Min(MaxSlice, count - next);
            list.Show(asked, next, size);
            if (SelectShown(list, TimeSpan.Zero, ready, out bool found))
            {
                next += size;
                any |= found;
            }
        }

        return any;
    }

    private bool SelectSlice(List<SelectorEntry> ready)
    {
        Readers.ShowSlice(MaxSlice);
        if (Readers.Count == 0)
        {
            return false;
        }

        if (SelectShown(Readers, TimeSpan.Zero, ready, out bool found))
        {
            Readers.EndSlice();
        }

        return found;
    }

    /// <returns>Whether the system took so many.</returns>
    private bool SelectShown(SocketList list, TimeSpan wait, List<SelectorEntry> ready, out bool any)
    {
        bool reads = list == Readers;
        int size = list.Count;
        int before = ready.Count;
        any = false;
        try
        {
            Socket.Select(
                reads ? list : null, reads ? null : list, reads ? null : _errors?.Rewind(), ToMicroseconds(wait));
        }
        catch (SocketException error) when (PollLimit.Explains(error, size))
        {
            Limit.Lower(size);
            return false;
        }

        if (reads)
        {
            any = CollectReaders(ready);
        }
        else
        {
            CollectWriters(ready);
            _errors?.Collect(ready);
        }

        any |= ready.Count > before;
        return true;
    }
}
