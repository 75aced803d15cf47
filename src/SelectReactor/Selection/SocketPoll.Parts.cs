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

    // If no part is ready, it waits for the first part alone, for a short time: that part holds the wake-up and the
    // readers that were ready lately.
    private bool SelectInParts(int readers, TimeSpan wait, List<SelectorEntry> ready)
    {
        bool any = SelectParts(readers, ready);
        if (any || wait == TimeSpan.Zero)
        {
            return any;
        }

        TimeSpan shortWait = wait > TimeSpan.Zero && wait < _partWait ? wait : _partWait;
        return SelectPart(Readers, 0, Math.Min(Readers.Hot, Limit.Max), shortWait, ready, out any) && any;
    }

    // One part after the other is asked without waiting.
    private bool SelectParts(int readers, List<SelectorEntry> ready) =>
        SelectParts(Readers, readers, ready) | SelectParts(_writers, _writers.Members, ready);

    private bool SelectParts(SocketList list, int count, List<SelectorEntry> ready)
    {
        bool any = false;
        for (int next = 0; next < count;)
        {
            int size = Math.Min(MaxSlice, count - next);
            if (SelectPart(list, next, size, TimeSpan.Zero, ready, out bool found))
            {
                next += size;
                any |= found;
            }
        }

        return any;
    }

    private bool SelectSlice(List<SelectorEntry> ready)
    {
        int size = Readers.BeginSlice(MaxSlice);
        if (size == 0)
        {
            return false;
        }

        if (SelectPart(Readers, Readers.Cursor, size, TimeSpan.Zero, ready, out bool found))
        {
            Readers.EndSlice(size);
        }

        return found;
    }

    /// <returns>Whether the system took so many.</returns>
    private bool SelectPart(
        SocketList list, int first, int size, TimeSpan wait, List<SelectorEntry> ready, out bool any)
    {
        bool reads = list == Readers;
        int before = ready.Count;
        any = false;
        list.Rewind(first, size);
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
