using SelectReactor.Epoll;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// A selector on epoll(7) of Linux, level-triggered: the cost of a wait grows with the number of ready handles, and
/// not with the number of registered ones. Use it with <c>new ReactorOptions().UseEpoll()</c>. With
/// <c>SelectorFactory = EpollSelector.Create</c> alone it watches <see cref="SocketHandle"/>s. It watches as many
/// handles as the process may open. A wait that a signal interrupts goes on for the rest of its time. If a socket is
/// closed while it is registered, the kernel forgets it without notice. The selector finds out when another handle
/// gets its descriptor or when its interest changes, and then reports it as evicted. If another process or descriptor
/// has the socket, too, the kernel does not forget it: the selector replaces its epoll descriptor once nobody watches
/// the socket any more and its events are all that comes.
/// </summary>
public sealed class EpollSelector : ISelector
{
    private const ulong WakeUpData = ulong.MaxValue;

    /// <summary>Waits in a row that bring nothing but events of sockets that nobody watches.</summary>
    private const int MaxStraysInARow = 16;

    private readonly NativeHandle _wakeUp;
    private readonly EventBuffer _events = new(capacity: 512);
    private readonly Stack<int> _freeSlots = new();
    private readonly List<Registration> _lost = [];
    private readonly DescriptorWatch _watch;
    private readonly ErrorPause<Registration> _paused = new();
    private Registration?[] _registrations = new Registration?[64];
    private int _slots;
    private uint _generation;
    private int _straysInARow;

    private EpollSelector()
    {
        Native.PrepareErrors();
        _wakeUp = Native.EventDescriptor(0, Native.CloseOnExec | Native.NonBlocking);
        EpollSet.ThrowIfInvalid(_wakeUp, "eventfd");
        _watch = new DescriptorWatch(_wakeUp, WakeUpData);
    }

    /// <summary>A new selector, for <see cref="ReactorOptions.SelectorFactory"/>.</summary>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux.</exception>
    /// <exception cref="IOException">The system has no descriptor left.</exception>
    public static ISelector Create()
    {
        ThrowUnlessLinux();
        return new EpollSelector();
    }

    /// <inheritdoc/>
    public void Add(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!HeldDescriptor.IsKnown(entry.Handle))
        {
            throw new ArgumentException(
                $"An EpollSelector watches the handles of UseEpoll() and SocketHandles, not a "
                + $"{entry.Handle.GetType().Name}.",
                nameof(entry));
        }

        using var descriptor = HeldDescriptor.Of(entry.Handle);
        if (descriptor.IsClosed)
        {
            throw new ArgumentException($"{entry.Handle} is closed and can't be watched.", nameof(entry));
        }

        int slot = _freeSlots.TryPop(out int free) ? free : _slots++;
        if (slot == _registrations.Length)
        {
            Array.Resize(ref _registrations, slot * 2);
        }

        var registration = new Registration(entry, descriptor.Number, slot, ++_generation);
        _registrations[slot] = registration;
        entry.State = registration;
        try
        {
            Update(entry, Interest.None);
        }
        catch
        {
            Remove(entry);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Update(SelectorEntry entry, Interest previous)
    {
        ArgumentNullException.ThrowIfNull(entry);
        uint before = EpollEvents.Of(previous);
        uint now = EpollEvents.Of(entry.Interest);
        if (before == now || _watch.IsClosed)
        {
            return;
        }

        var registration = Registration.Of(entry);
        if (now == 0)
        {
            // The kernel would go on to report errors and hang-ups, whatever the interest is.
            _watch.Remove(registration);
            return;
        }

        using var descriptor = HeldDescriptor.Of(entry.Handle);
        if (descriptor.IsClosed)
        {
            Lose(registration);
        }
        else if (_paused.Contains(registration))
        {
            // The end of the pause looks at the interest.
        }
        else if (before == 0)
        {
            if (_watch.Add(registration) is { } lost)
            {
                Lose(lost);
            }
        }
        else if (_watch.Contains(registration))
        {
            _watch.Modify(registration);
        }
    }

    /// <inheritdoc/>
    public void Remove(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var registration = Registration.Of(entry);
        _watch.Remove(registration);
        _lost.Remove(registration);
        _paused.Remove(registration);
        _registrations[registration.Slot] = null;
        _freeSlots.Push(registration.Slot);
        entry.State = null;
    }

    /// <inheritdoc/>
    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        EndPauses();
        int count = _watch.Wait(_events, _lost.Count == 0 ? _paused.Limit(wait) : TimeSpan.Zero);
        int strays = 0;
        for (int i = 0; i < count; i++)
        {
            (uint events, ulong data) = _events.Get(i);
            if (data == WakeUpData)
            {
                DrainWakeUp();
            }
            else if (Find(data) is { } registration)
            {
                Report(registration, events, ready);
            }
            else
            {
                strays++;
            }
        }

        _straysInARow = strays > 0 && strays == count ? _straysInARow + 1 : 0;
        if (_straysInARow == MaxStraysInARow)
        {
            // If it fails, the next waits lead here again.
            _straysInARow = 0;
            _watch.Replace(_registrations, Lose);
        }

        if (_lost.Count > 0)
        {
            EvictLost(ready);
        }
    }

    /// <inheritdoc/>
    public void Wake()
    {
        try
        {
            ulong one = 1;
            Native.Write(_wakeUp, ref one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // The selector is gone and nobody waits any more: a late wake-up has nothing to do.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _wakeUp.Dispose();
        _watch.Dispose();
    }

    internal static void ThrowUnlessLinux()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("epoll needs Linux: leave the reactor's options alone elsewhere.");
        }
    }

    private void DrainWakeUp()
    {
        ulong value = 0;
        Native.Read(_wakeUp, ref value, sizeof(ulong));
    }

    private Registration? Find(ulong data)
    {
        Registration? registration = _registrations[(int)(uint)data];
        return registration?.Data == data ? registration : null;
    }

    private void Report(Registration registration, uint events, List<SelectorEntry> ready)
    {
        SelectorEntry entry = registration.Entry;
        var found = EpollEvents.ToInterest(events, entry.Interest);
        if (found != Interest.None)
        {
            entry.Ready = found;
            ready.Add(entry);
        }

        if (!EpollEvents.IsErrorAlone(events))
        {
            registration.ErrorsInARow = 0;
        }
        else if (++registration.ErrorsInARow >= ErrorPause<Registration>.MaxInARow)
        {
            // After the pause the first one is enough.
            registration.ErrorsInARow--;
            _watch.Remove(registration);
            _paused.Add(registration);
        }
    }

    private void EndPauses()
    {
        while (_paused.TryTakeDue(out Registration? registration))
        {
            try
            {
                Update(registration.Entry, Interest.None);
            }
            catch (IOException)
            {
                // The kernel is short of memory. It is asked again after the next pause.
                _paused.Add(registration);
                return;
            }
        }
    }

    private void Lose(Registration registration)
    {
        if (!_lost.Contains(registration))
        {
            _lost.Add(registration);
        }
    }

    private void EvictLost(List<SelectorEntry> ready)
    {
        foreach (Registration lost in _lost.ToArray())
        {
            Remove(lost.Entry);
            bool isReported = lost.Entry.Ready != Interest.None;
            lost.Entry.Evict();
            if (!isReported)
            {
                ready.Add(lost.Entry);
            }
        }
    }
}
