using System.Diagnostics;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// The sockets of a <see cref="SelectSelector"/>, and one <c>Socket.Select</c> over them: lists in, ready entries
/// out. It also owns the wake-up connection, which is always the first reader.
/// </summary>
internal sealed partial class SocketPoll : IDisposable
{
    private const int WakeUpPosition = 0;
    private const long MaxWaitMilliseconds = 1_000_000;
    private static readonly TimeSpan _renewalPause = TimeSpan.FromMilliseconds(10);
    private readonly SocketList _writers = new(forWriting: true);
    private readonly ConnectErrors? _errors;
    private readonly Func<LoopbackPair> _openWakeUp;
    private LoopbackPair _wakeUp;

    public SocketPoll(Func<LoopbackPair> openWakeUp)
    {
        _openWakeUp = openWakeUp;
        _wakeUp = openWakeUp();
        _errors = OperatingSystem.IsWindows() ? new ConnectErrors(_writers) : null;
        Readers.Add(_wakeUp.Reader, watched: null);
    }

    /// <summary>How many entries there are, those without interest included.</summary>
    public int Entries { get; private set; }

    public SocketList Readers { get; } = new(forWriting: false);

    /// <summary>How often the hot readers were asked: the time stamp of sockets that are active.</summary>
    public int Looks { get; private set; }

    /// <summary>How many waits asked for every socket.</summary>
    public int FullWaits { get; private set; }

    /// <summary>How many sockets one slice has at most.</summary>
    public int MaxSlice => Math.Min(MaxWithoutGarbage, Limit.Max);

    public LoopbackPair WakeUp => Volatile.Read(ref _wakeUp);

    /// <summary>
    /// Rounds up to whole milliseconds, since poll(2) would cut a shorter wait to none and spin, and stays within the
    /// range of <c>Socket.Select</c>.
    /// </summary>
    public static int ToMicroseconds(TimeSpan wait)
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

        return (int)Math.Min(milliseconds, MaxWaitMilliseconds) * 1000;
    }

    /// <summary>Adds an entry whose handle is a <see cref="SocketHandle"/>.</summary>
    public void Add(SelectorEntry entry)
    {
        var watched = new WatchedSocket(entry);
        entry.State = watched;
        Entries++;
        Update(watched, Interest.None);
    }

    public void Update(WatchedSocket watched, Interest previous)
    {
        watched.KeepHot(Looks);
        Move(watched, previous, watched.Entry.Interest);
    }

    public void Remove(WatchedSocket watched)
    {
        Move(watched, watched.Entry.Interest, Interest.None);
        _paused.Remove(watched);
        watched.Entry.State = null;
        Entries--;
    }

    /// <summary>Waits for some of the sockets. A slice is only looked at: it comes with no wait.</summary>
    /// <returns>Whether anything happened, a wake-up included. It may return early with nothing.</returns>
    public bool Select(Asked asked, TimeSpan wait, List<SelectorEntry> ready)
    {
        Looks += asked == Asked.Slice ? 0 : 1;
        FullWaits += asked == Asked.All ? 1 : 0;
        bool any;
        if (asked != Asked.Slice && !_paused.IsEmpty)
        {
            EndPauses();
            wait = _paused.Limit(wait);
        }

        long start = wait > TimeSpan.Zero ? Stopwatch.GetTimestamp() : 0;
        try
        {
            any = asked == Asked.Slice ? SelectSlice(ready) : SelectTogether(asked, wait, ready);
        }
        catch (ObjectDisposedException)
        {
            // A socket was closed while it was registered. Nothing was waited for: the others are asked next time.
            Evict(static handle => handle.IsClosed, ready);
            return true;
        }
        catch (SocketException error)
            when (error.SocketErrorCode is SocketError.OperationAborted or SocketError.NotSocket)
        {
            // Only Windows fails the whole call: the first when another thread closes a socket during the wait, the
            // second when a descriptor was closed past its Socket. If no socket is to blame for the second, it would
            // fail for ever.
            if (!EvictBroken(ready) && error.SocketErrorCode == SocketError.NotSocket)
            {
                throw;
            }

            return true;
        }

        if (wait == TimeSpan.Zero)
        {
            return any || ready.Count > 0;
        }

        bool isEarly = !any && (wait < TimeSpan.Zero || Stopwatch.GetElapsedTime(start) < wait);
        return EndSpin(any, isEarly, asked, ready);
    }

    /// <summary>Ends a wait. Any thread.</summary>
    public void Wake() => WakeUp.Signal();

    public void Dispose() => WakeUp.Dispose();

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

    // A paused one is in no list.
    private void Move(WatchedSocket watched, Interest before, Interest now)
    {
        if (!_paused.Contains(watched))
        {
            Move(Readers, watched, Reads(before), Reads(now));
            Move(_writers, watched, Writes(before), Writes(now));
        }
    }

    // Above a certain number of sockets the system call allocates. So many hot ones are asked in parts first, and only
    // waited for together when none of them is ready.
    private bool SelectTogether(Asked asked, TimeSpan wait, List<SelectorEntry> ready)
    {
        int sockets = Readers.CountOf(asked) + _writers.Members;
        if (asked == Asked.Hot && sockets > MaxWithoutGarbage)
        {
            bool found = SelectParts(asked, ready);
            if (found || wait == TimeSpan.Zero)
            {
                return found;
            }
        }

        if (!Limit.Allows(sockets))
        {
            return SelectInParts(asked, wait, ready);
        }

        Readers.Show(asked, 0, Readers.CountOf(asked));
        _writers.Show(Asked.All, 0, _writers.Members);
        try
        {
            Socket.Select(Readers, _writers.Count == 0 ? null : _writers, _errors?.Rewind(), ToMicroseconds(wait));
        }
        catch (SocketException error) when (PollLimit.Explains(error, sockets))
        {
            Limit.Lower(sockets);
            return SelectInParts(asked, wait, ready);
        }

        bool woken = CollectReaders(ready);
        CollectWriters(ready);
        _errors?.Collect(ready);
        return woken || ready.Count > 0;
    }

    /// <returns>Whether the wake-up was among them.</returns>
    private bool CollectReaders(List<SelectorEntry> ready)
    {
        bool woken = false;
        int count = Readers.Count;
        for (int i = 0; i < count; i++)
        {
            if (Readers.InView(i) is { } watched)
            {
                watched.Touch(Looks, wasHot: Readers.IsHot(watched));
                watched.Report(Interest.Read, ready);
            }
            else
            {
                woken = true;
            }
        }

        if (woken && !_wakeUp.TryDrain())
        {
            RenewWakeUp(hasOtherWork: ready.Count > 0);
        }

        return woken;
    }

    private void CollectWriters(List<SelectorEntry> ready)
    {
        int count = _writers.Count;
        for (int i = 0; i < count; i++)
        {
            WatchedSocket watched = _writers.InView(i)!;
            watched.Report(watched.Entry.Interest & (Interest.Write | Interest.Connect), ready);
        }
    }

    // The connection is cut: its reader would be readable for ever, and nothing could end a wait any more.
    private void RenewWakeUp(bool hasOtherWork)
    {
        LoopbackPair old = _wakeUp;
        if (old.IsBroken)
        {
            // The number of its descriptor is free, and the new pair may get it: closing the reader afterwards would
            // close the new one. Until there is a new pair, the writer takes its place and ends each wait, since its
            // peer is gone.
            old.Reader.Dispose();
            Readers.Replace(WakeUpPosition, old.Writer);
        }

        try
        {
            LoopbackPair renewed = _openWakeUp();
            Readers.Replace(WakeUpPosition, renewed.Reader);

            // A full fence: a thread that still signals the old pair has posted before, and the reactor looks after
            // this.
            Interlocked.Exchange(ref _wakeUp, renewed);
            old.Dispose();
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            // No descriptor is left. The next wait tries again; a loop that has nothing else to do must not spin
            // until then.
            if (!hasOtherWork)
            {
                Thread.Sleep(_renewalPause);
            }
        }
    }
}
