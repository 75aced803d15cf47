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
    private int _keys;
    private int _wakePending;
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
        _readers.Add(_wakeUp.Reader, key: null);
    }

    /// <summary>How many sockets are watched at every wait, the wake-up included.</summary>
    internal int Hot => _readers.Hot;

    /// <summary>How many waits looked at every socket.</summary>
    internal int Scans => _pacer.Scans;

    /// <inheritdoc/>
    public void Add(SelectionKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Handle is not SocketHandle)
        {
            throw new ArgumentException(
                $"A SelectSelector watches a SocketHandle, not a {key.Handle.GetType().Name}.", nameof(key));
        }

        // All keys count, so that none has to be refused later, when its interest changes.
        if (_keys == Capacity)
        {
            throw new InvalidOperationException($"A SelectSelector holds at most {Capacity} sockets.");
        }

        _keys++;
        Update(key, Interest.None);
    }

    /// <inheritdoc/>
    public void Update(SelectionKey key, Interest previous)
    {
        ArgumentNullException.ThrowIfNull(key);
        key.LastHeat = _pacer.Scans;
        Move(_readers, key, Reads(previous), Reads(key.Interest));
        Move(_writers, key, Writes(previous), Writes(key.Interest));
    }

    /// <inheritdoc/>
    public void Remove(SelectionKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _keys--;
        Move(_readers, key, Reads(key.Interest), now: false);
        Move(_writers, key, Writes(key.Interest), now: false);
    }

    /// <inheritdoc/>
    public void Select(TimeSpan wait, List<SelectionKey> ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        foreach (SelectionKey key in ready)
        {
            key.Ready = Interest.None;
        }

        ready.Clear();
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
    public void Wake()
    {
        if (Interlocked.Exchange(ref _wakePending, 1) == 0)
        {
            _wakeUp.Signal();
        }
    }

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

    private static void Move(SocketList list, SelectionKey key, bool before, bool now)
    {
        if (before && !now)
        {
            list.Remove(key);
        }
        else if (now && !before)
        {
            list.Add(((SocketHandle)key.Handle).Socket, key);
        }
    }

    private static void Report(SelectionKey key, Interest found, List<SelectionKey> ready)
    {
        if (key.Ready == Interest.None)
        {
            ready.Add(key);
        }

        key.Ready |= found;
    }

    /// <returns>Whether anything happened, a wake-up included.</returns>
    private bool SelectOn(bool hotOnly, TimeSpan wait, List<SelectionKey> ready)
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

    private bool CollectReaders(List<SelectionKey> ready)
    {
        bool woken = false;
        int count = _readers.Count;
        for (int i = 0; i < count; i++)
        {
            if (_readers.KeyAt(i) is { } key)
            {
                key.LastHeat = _pacer.Scans;
                Report(key, Interest.Read, ready);
            }
            else
            {
                // A wake-up between the two lines sends nothing, but the reactor looks at its mailbox after this.
                woken = true;
                _wakeUp.Drain();
                Interlocked.Exchange(ref _wakePending, 0);
            }
        }

        return woken;
    }

    private void CollectWriters(List<SelectionKey> ready)
    {
        int count = _writers.Count;
        for (int i = 0; i < count; i++)
        {
            SelectionKey key = _writers.KeyAt(i)!;
            Report(key, key.Interest & (Interest.Write | Interest.Connect), ready);
        }
    }

    // Windows tells a failed connection attempt in the error list only, so that list holds who is connecting.
    private List<Socket>? ConnectingSockets()
    {
        List<Socket>? connecting = null;
        for (int i = 0; i < _writers.Members; i++)
        {
            SelectionKey key = _writers.MemberAt(i)!;
            if ((key.Interest & Interest.Connect) != 0)
            {
                (connecting ??= []).Add(((SocketHandle)key.Handle).Socket);
            }
        }

        return connecting;
    }

    private void CollectFailed(List<Socket> failed, List<SelectionKey> ready)
    {
        for (int i = 0; i < _writers.Members; i++)
        {
            SelectionKey key = _writers.MemberAt(i)!;
            if (failed.Contains(((SocketHandle)key.Handle).Socket))
            {
                Report(key, Interest.Connect, ready);
            }
        }
    }

    // A descriptor whose number was closed with close(2), past its Socket, ends every wait at once and is never in the list
    // afterwards. Waits may end with nothing for other reasons, too, so that it takes many to make it worth a look.
    private void EvictSpinning(bool any, List<SelectionKey> ready)
    {
        _emptyReturns = any ? 0 : _emptyReturns + 1;
        if (_emptyReturns >= MostEmptyReturns)
        {
            _emptyReturns = 0;
            Evict(_readers, ready, static handle => handle.IsBroken);
            Evict(_writers, ready, static handle => handle.IsBroken);
        }
    }

    private void Evict(SocketList list, List<SelectionKey> ready, Func<SocketHandle, bool> isLost)
    {
        for (int i = list.Members - 1; i >= 0; i--)
        {
            if (list.MemberAt(i) is { Handle: SocketHandle handle } key && isLost(handle))
            {
                Remove(key);
                key.Evict();
                ready.Add(key);
            }
        }
    }
}
