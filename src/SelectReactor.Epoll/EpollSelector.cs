using SelectReactor.Epoll;

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
    private readonly DescriptorOwners _owners = new();
    private Registration?[] _registrations = new Registration?[64];
    private int _slots;
    private uint _generation;
    private EpollSet _set = new();
    private int _straysInARow;

    private EpollSelector()
    {
        Native.PrepareErrors();
        _wakeUp = Native.EventDescriptor(0, Native.CloseOnExec | Native.NonBlocking);
        EpollSet.ThrowIfInvalid(_wakeUp, "eventfd");
        Watch(_set);
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
        if (before == now || _set.IsClosed)
        {
            return;
        }

        var registration = Registration.Of(entry);
        if (now == 0)
        {
            // The kernel would go on to report errors and hang-ups, whatever the interest is.
            Forget(registration);
            return;
        }

        using var descriptor = HeldDescriptor.Of(entry.Handle);
        if (descriptor.IsClosed)
        {
            Lose(registration);
        }
        else if (before == 0)
        {
            Control(Native.Add, registration, EpollEvents.Of(entry));
            if (_owners.Add(registration) is { } lost)
            {
                Lose(lost);
            }
        }
        else if (_owners.Contains(registration))
        {
            Modify(registration);
        }
    }

    /// <inheritdoc/>
    public void Remove(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var registration = Registration.Of(entry);
        Forget(registration);
        _lost.Remove(registration);
        _registrations[registration.Slot] = null;
        _freeSlots.Push(registration.Slot);
        entry.State = null;
    }

    /// <inheritdoc/>
    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        int count = _set.Wait(_events, _lost.Count == 0 ? wait : TimeSpan.Zero);
        int strays = 0;
        for (int i = 0; i < count; i++)
        {
            (uint events, ulong data) = _events.Get(i);
            if (data == WakeUpData)
            {
                DrainWakeUp();
            }
            else if (Find(data) is not { } entry)
            {
                strays++;
            }
            else if (EpollEvents.ToInterest(events, entry.Interest) is var found and not Interest.None)
            {
                entry.Ready = found;
                ready.Add(entry);
            }
        }

        _straysInARow = strays > 0 && strays == count ? _straysInARow + 1 : 0;
        if (_straysInARow == MaxStraysInARow)
        {
            ReplaceSet();
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
        _set.Dispose();
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

    private SelectorEntry? Find(ulong data)
    {
        Registration? registration = _registrations[(int)(uint)data];
        return registration?.Data == data ? registration.Entry : null;
    }

    private void Forget(Registration registration)
    {
        if (_owners.Contains(registration) && !_set.IsClosed)
        {
            // It fails for a socket that is closed already, which the kernel has forgotten.
            _owners.Remove(registration);
            _set.TryControl(Native.Delete, registration.Descriptor, 0, 0);
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

    private void Modify(Registration registration)
    {
        uint events = EpollEvents.Of(registration.Entry);
        if ((events & Native.Exclusive) != 0)
        {
            _set.TryControl(Native.Delete, registration.Descriptor, 0, 0);
            Control(Native.Add, registration, events);
        }
        else
        {
            Control(Native.Modify, registration, events);
        }
    }

    private void Control(int operation, Registration registration, uint events) =>
        _set.Control(operation, registration.Descriptor, events, registration.Data);

    // A socket that was disposed of behind the library's back, and of which the process or a child has a duplicate,
    // stays in the kernel's set, and no call can remove it: its number is closed. Only a new set is without it.
    private void ReplaceSet()
    {
        _straysInARow = 0;
        EpollSet? set = null;
        try
        {
            set = new EpollSet();
            Watch(set);
        }
        catch (IOException)
        {
            // The system is short of something. The old set works still, and the next waits lead here again.
            set?.Dispose();
            return;
        }

        _set.Dispose();
        _set = set;
    }

    private void Watch(EpollSet set)
    {
        set.Control(Native.Add, (int)_wakeUp.DangerousGetHandle(), Native.In, WakeUpData);
        foreach (Registration? registration in _registrations)
        {
            if (registration is null || !_owners.Contains(registration))
            {
                continue;
            }

            using var descriptor = HeldDescriptor.Of(registration.Entry.Handle);
            if (descriptor.IsClosed)
            {
                Lose(registration);
            }
            else
            {
                set.Control(Native.Add, descriptor.Number, EpollEvents.Of(registration.Entry), registration.Data);
            }
        }
    }
}
