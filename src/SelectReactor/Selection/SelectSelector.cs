using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// The default selector, over <see cref="Socket.Select(System.Collections.IList, System.Collections.IList, System.Collections.IList, int)"/>:
/// managed and portable. It watches <see cref="SocketHandle"/>s, up to <see cref="Capacity"/> of them. The cost of a wait
/// grows with those that were ready lately; the others are looked at as often as a tenth of the thread allows, which may
/// delay what one of them has to say, under load, by about ten times the cost of looking at all of them. On Unix a signal that the process handles starts a wait anew, so that a timer can be
/// late by as much as the wait that the signal interrupted.
/// </summary>
public sealed partial class SelectSelector : ISelector
{
    /// <summary>
    /// The most keys that a selector holds: what <c>Socket.Select</c> takes in a list, less one for the wake-up. On Unix
    /// readers and writers together are also bounded by the limit on open files.
    /// </summary>
    public const int Capacity = 65_535;

    /// <summary>Below this many members a scan of all costs no more than keeping a hot set.</summary>
    internal const int LeastMembersForHotSet = 64;

    /// <summary>A member is hot until it was found quiet in this many scans of all.</summary>
    internal const int HotScans = 16;

    /// <summary>After so many waits in a row that ended with nothing, each socket is looked at.</summary>
    private const int MostEmptyReturns = 1000;

    private const int ShortWaitMicroseconds = 5_000;
    private const long LongestWaitMilliseconds = 1_000_000;
    private readonly SocketList _readers = new(forWriting: false);
    private readonly SocketList _writers = new(forWriting: true);
    private readonly LoopbackPair _wakeUp = new();
    private readonly ScanPacer _pacer;
    private bool _coldIsQuiet;
    private int _entries;
    private int _emptyReturns;

    /// <summary>Opens the wake-up sockets.</summary>
    /// <exception cref="SocketException">There is no loopback network, or no descriptor left.</exception>
    public SelectSelector()
        : this(TimeProvider.System)
    {
    }

    internal SelectSelector(TimeProvider scanClock)
    {
        _pacer = new ScanPacer(scanClock);
        _readers.Add(_wakeUp.Reader, watched: null);
    }

    /// <summary>How many sockets are watched at every wait, the wake-up included.</summary>
    internal int Hot => _readers.Hot;

    /// <summary>How many waits looked at every socket.</summary>
    internal int Scans => _pacer.Scans;

    /// <inheritdoc/>
    public void Add(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Handle is not SocketHandle handle)
        {
            throw new ArgumentException(
                $"A SelectSelector watches a SocketHandle, not a {entry.Handle.GetType().Name}.", nameof(entry));
        }

        // Entries without interest count too, so that no entry is refused later, when its interest changes.
        if (_entries == Capacity)
        {
            throw new InvalidOperationException($"A SelectSelector holds at most {Capacity} sockets.");
        }

        _entries++;
        entry.State = new WatchedSocket(entry, handle);
        Update(entry, Interest.None);
    }

    /// <inheritdoc/>
    public void Update(SelectorEntry entry, Interest previous)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var watched = WatchedSocket.Of(entry);
        watched.LastActiveScan = _pacer.Scans;
        Move(_readers, watched, Reads(previous), Reads(entry.Interest));
        Move(_writers, watched, Writes(previous), Writes(entry.Interest));
    }

    /// <inheritdoc/>
    public void Remove(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        _entries--;
        var watched = WatchedSocket.Of(entry);
        Move(_readers, watched, Reads(entry.Interest), now: false);
        Move(_writers, watched, Writes(entry.Interest), now: false);
        entry.State = null;
    }

    /// <inheritdoc/>
    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        if (_readers.Members <= LeastMembersForHotSet)
        {
            SelectOn(hotOnly: false, wait, ready);
        }
        else if (_pacer.UntilScan() is var rest && rest > TimeSpan.Zero)
        {
            SelectHotFirst(wait, rest, ready);
        }
        else
        {
            Scan(wait, ready);
        }
    }

    /// <inheritdoc/>
    public void Wake() => _wakeUp.Signal();

    /// <inheritdoc/>
    public void Dispose() => _wakeUp.Dispose();

    /// <summary>
    /// Rounds up to whole milliseconds, since poll(2) would cut a shorter wait to none and spin, and stays within what
    /// <c>Socket.Select</c> takes.
    /// </summary>
    internal static int ToMicroseconds(TimeSpan wait)
    {
        if (wait < TimeSpan.Zero)
        {
            return -1;
        }

        long milliseconds = wait.Ticks / TimeSpan.TicksPerMillisecond;
        if (wait.Ticks % TimeSpan.TicksPerMillisecond != 0)
        {
            milliseconds++;
        }

        return (int)Math.Min(milliseconds, LongestWaitMilliseconds) * 1000;
    }

    private static bool Reads(Interest interest) => (interest & Interest.Read) != 0;

    private static bool Writes(Interest interest) => (interest & (Interest.Write | Interest.Connect)) != 0;

    private static void Move(SocketList list, WatchedSocket watched, bool before, bool now)
    {
        if (before && !now)
        {
            list.Remove(watched);
        }
        else if (now && !before)
        {
            list.Add(watched.Socket, watched);
        }
    }

    private static void Report(SelectorEntry entry, Interest found, List<SelectorEntry> ready)
    {
        if (entry.Ready == Interest.None)
        {
            ready.Add(entry);
        }

        entry.Ready |= found;
    }

    /// <returns>Whether anything happened, a wake-up included.</returns>
    private bool SelectOn(bool hotOnly, TimeSpan wait, List<SelectorEntry> ready)
    {
        _readers.Rewind(hotOnly);
        _writers.Rewind();
        List<Socket>? failed = OperatingSystem.IsWindows() ? ConnectingSockets() : null;
        try
        {
            Wait(hotOnly, failed, wait);
        }
        catch (ObjectDisposedException)
        {
            // Somebody closed a socket behind our back. Nothing was waited for: the others are asked again next time.
            Evict(_readers, ready, static handle => handle.IsClosed);
            Evict(_writers, ready, static handle => handle.IsClosed);
            return true;
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.OperationAborted or SocketError.NotSocket)
        {
            // Only Windows fails the whole call: the first when another thread closes a socket during the wait, the second
            // when a descriptor was closed past its Socket. If no socket is to blame for the second, it would fail for ever.
            Evict(_readers, ready, static handle => handle.IsBroken);
            Evict(_writers, ready, static handle => handle.IsBroken);
            if (error.SocketErrorCode == SocketError.NotSocket && ready.Count == 0)
            {
                throw;
            }

            return true;
        }

        bool woken = CollectReaders(ready);
        CollectWriters(ready);
        if (failed is { Count: > 0 })
        {
            CollectFailed(failed, ready);
        }

        bool any = woken || ready.Count > 0;
        if (wait != TimeSpan.Zero)
        {
            EvictSpinning(any, ready);
        }

        return any;
    }

    private void Wait(bool hotOnly, List<Socket>? failed, TimeSpan wait)
    {
        try
        {
            Socket.Select(_readers, _writers.Count == 0 ? null : _writers, failed, ToMicroseconds(wait));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.InvalidArgument && _writers.Members > 0)
        {
            // Together they are more than the process may open files, which poll(2) refuses in one call and not in two.
            _readers.Rewind(hotOnly);
            _writers.Rewind();
            Socket.Select(_readers, null, null, 0);
            bool waits = _readers.Count == 0 && wait != TimeSpan.Zero;
            Socket.Select(null, _writers, null, waits ? ShortWaitMicroseconds : 0);
        }
    }

    private bool CollectReaders(List<SelectorEntry> ready)
    {
        bool woken = false;
        int count = _readers.Count;
        for (int i = 0; i < count; i++)
        {
            if (_readers.InView(i) is { } watched)
            {
                watched.LastActiveScan = _pacer.Scans;
                Report(watched.Entry, Interest.Read, ready);
            }
            else
            {
                woken = true;
                _wakeUp.Drain();
            }
        }

        return woken;
    }

    private void CollectWriters(List<SelectorEntry> ready)
    {
        int count = _writers.Count;
        for (int i = 0; i < count; i++)
        {
            SelectorEntry entry = _writers.InView(i)!.Entry;
            Report(entry, entry.Interest & (Interest.Write | Interest.Connect), ready);
        }
    }

    // Windows reports a failed connection attempt in the error list only, so that list holds the connecting sockets.
    private List<Socket>? ConnectingSockets()
    {
        List<Socket>? connecting = null;
        for (int i = 0; i < _writers.Members; i++)
        {
            WatchedSocket watched = _writers.MemberAt(i)!;
            if ((watched.Entry.Interest & Interest.Connect) != 0)
            {
                (connecting ??= []).Add(watched.Socket);
            }
        }

        return connecting;
    }

    private void CollectFailed(List<Socket> failed, List<SelectorEntry> ready)
    {
        for (int i = 0; i < _writers.Members; i++)
        {
            WatchedSocket watched = _writers.MemberAt(i)!;
            if (failed.Contains(watched.Socket))
            {
                Report(watched.Entry, Interest.Connect, ready);
            }
        }
    }

    // A descriptor that was closed with close(2), past its Socket, ends every wait at once and is never in the list
    // afterwards. Waits may end with nothing for other reasons too, so the sockets are looked at after many of them.
    private void EvictSpinning(bool any, List<SelectorEntry> ready)
    {
        _emptyReturns = any ? 0 : _emptyReturns + 1;
        if (_emptyReturns >= MostEmptyReturns)
        {
            _emptyReturns = 0;
            Evict(_readers, ready, static handle => handle.IsBroken);
            Evict(_writers, ready, static handle => handle.IsBroken);
        }
    }

    private void Evict(SocketList list, List<SelectorEntry> ready, Func<SocketHandle, bool> isLost)
    {
        for (int i = list.Members - 1; i >= 0; i--)
        {
            if (list.MemberAt(i) is { } watched && isLost(watched.Handle))
            {
                Remove(watched.Entry);
                watched.Entry.Evict();
                ready.Add(watched.Entry);
            }
        }
    }
}
