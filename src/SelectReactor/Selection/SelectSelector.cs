using System.Diagnostics;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// The default selector, over
/// <see cref="Socket.Select(System.Collections.IList, System.Collections.IList, System.Collections.IList, int)"/>. It
/// is managed and portable, and watches up to <see cref="Capacity"/> <see cref="SocketHandle"/>s.
/// </summary>
/// <remarks>
/// <para>The cost of a wait grows with the number of sockets that were ready lately. The others are looked at in
/// slices of fewer than 80, which use about a fortieth of the loop's time. So under load an idle socket may be noticed
/// late, by about forty times the cost of looking at all of them and by <see cref="MaxIdleDelay"/> at most. A loop
/// with nothing to do waits for all sockets at once. Only such a wait allocates memory, 8 bytes a socket.</para>
/// <para>On Unix an error of a datagram socket, such as an unreachable peer, makes the socket readable only once the
/// loop has nothing else to do. The next call on the handle returns the error in any case.</para>
/// <para>On Unix a signal that the process handles makes the system call start its wait anew. A wait with an end is
/// therefore made in parts of 100 ms, or of 50 times the cost of looking at all sockets if that is longer. A timer is
/// late by one part at most while signals on the loop's thread are further apart than that. Signals that come faster
/// can hold it up for as long as they last: run the loop on a thread other than the main one, which Unix prefers for
/// signals, or use <c>EpollSelector</c>, whose waits go on where the signal interrupted them.</para>
/// </remarks>
public sealed class SelectSelector : ISelector
{
    /// <summary>
    /// How many entries a selector holds: the length of a list that <c>Socket.Select</c> takes, less one for the
    /// wake-up.
    /// </summary>
    public const int Capacity = 65_535;

    private static readonly TimeSpan _minIdleDelay = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _maxIdleDelay = TimeSpan.FromSeconds(10);
    private readonly SocketPoll _poll;
    private readonly ScanBudget _budget;
    private readonly HotSet _hotSet;

    /// <summary>Makes a selector and opens its wake-up sockets.</summary>
    /// <exception cref="SocketException">There is no loopback network, or no descriptor left.</exception>
    public SelectSelector()
        : this(TimeProvider.System, static () => new LoopbackPair())
    {
    }

    internal SelectSelector(TimeProvider scanClock)
        : this(scanClock, static () => new LoopbackPair())
    {
    }

    internal SelectSelector(TimeProvider scanClock, Func<LoopbackPair> openWakeUp)
    {
        _poll = new SocketPoll(openWakeUp);
        _budget = new ScanBudget(scanClock);
        _hotSet = new HotSet(_poll, _budget);
    }

    /// <summary>
    /// How late an idle socket that becomes ready may be noticed while others keep the loop busy, apart from the tick
    /// that is under way. Default: 50 milliseconds. With 9,000 idle sockets, looking at each within 50 ms takes about
    /// 8 % of the loop's time, and within 150 ms a third of that; it never takes more than half. Set it on the
    /// reactor's thread, or before the selector is used.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below a millisecond or above 10
    /// seconds.</exception>
    public TimeSpan MaxIdleDelay
    {
        get => _budget.MaxRound;
        set => _budget.MaxRound = value >= _minIdleDelay && value <= _maxIdleDelay
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(value), $"SelectSelector.MaxIdleDelay must be from 1 ms to 10 s, not {value}.");
    }

    /// <summary>How many sockets each wait asks for, the wake-up included.</summary>
    internal int Hot => _poll.Readers.Hot;

    /// <summary>How many waits asked for every socket.</summary>
    internal int FullWaits => _poll.FullWaits;

    /// <summary>The connection that ends a wait.</summary>
    internal LoopbackPair WakeUp => _poll.WakeUp;

    /// <summary>How many sockets one system call takes.</summary>
    internal PollLimit Limit => _poll.Limit;

    /// <inheritdoc/>
    public void Add(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Handle is not SocketHandle handle)
        {
            throw new ArgumentException(
                $"A SelectSelector can't watch {entry.Handle.GetType().Name}, only SocketHandle: set the "
                + "SelectorFactory and the HandleFactory of a reactor together, for epoll by UseEpoll.",
                nameof(entry));
        }

        if (handle.IsClosed)
        {
            throw new ArgumentException($"{handle} is closed and can't be watched.", nameof(entry));
        }

        // Entries without interest count too, so that no entry is refused later, when its interest changes.
        if (_poll.Entries == Capacity)
        {
            throw new InvalidOperationException($"A SelectSelector holds at most {Capacity} sockets.");
        }

        _poll.Add(entry);
    }

    /// <inheritdoc/>
    public void Update(SelectorEntry entry, Interest previous)
    {
        ArgumentNullException.ThrowIfNull(entry);
        _poll.Update(WatchedSocket.Of(entry), previous);
    }

    /// <inheritdoc/>
    public void Remove(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        _poll.Remove(WatchedSocket.Of(entry));
    }

    /// <inheritdoc/>
    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        bool hasEnd = wait > TimeSpan.Zero;
        long start = hasEnd ? Stopwatch.GetTimestamp() : 0;
        TimeSpan rest = wait;
        while (!_hotSet.Select(hasEnd ? Shorter(rest, _hotSet.MaxWait) : wait, ready) && wait != TimeSpan.Zero)
        {
            if (hasEnd)
            {
                rest = wait - Stopwatch.GetElapsedTime(start);
                if (rest <= TimeSpan.Zero)
                {
                    return;
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Wake() => _poll.Wake();

    /// <inheritdoc/>
    public void Dispose() => _poll.Dispose();

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
