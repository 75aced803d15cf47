namespace SelectReactor.Epoll;

/// <summary>What the kernel watches, and for which registration, and the wake-up besides.</summary>
internal sealed class DescriptorWatch : IDisposable
{
    private readonly NativeHandle _wakeUp;
    private readonly ulong _wakeUpData;
    private readonly DescriptorOwners _owners = new();
    private EpollSet _set = new();

    /// <summary>Watches the wake-up.</summary>
    /// <param name="wakeUp">Its descriptor.</param>
    /// <param name="wakeUpData">What the kernel returns with each event of it.</param>
    /// <exception cref="IOException">The system has no descriptor left.</exception>
    public DescriptorWatch(NativeHandle wakeUp, ulong wakeUpData)
    {
        _wakeUp = wakeUp;
        _wakeUpData = wakeUpData;
        WatchWakeUp(_set);
    }

    public bool IsClosed => _set.IsClosed;

    public bool Contains(Registration registration) => _owners.Contains(registration);

    /// <summary>Watches a descriptor for the interest of its entry.</summary>
    /// <returns>The registration that owned the number before; null if there was none. Its socket is closed.</returns>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public Registration? Add(Registration registration)
    {
        Control(Native.Add, registration);
        return _owners.Add(registration);
    }

    /// <summary>Watches a descriptor for another interest.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Modify(Registration registration)
    {
        if ((EpollEvents.Of(registration.Entry) & Native.Exclusive) != 0)
        {
            _set.TryControl(Native.Delete, registration.Descriptor, 0, 0);
            Control(Native.Add, registration);
        }
        else
        {
            Control(Native.Modify, registration);
        }
    }

    /// <summary>Watches a descriptor no longer. It may be watched by nobody.</summary>
    public void Remove(Registration registration)
    {
        if (Contains(registration) && !IsClosed)
        {
            // It fails for a socket that is closed already, which the kernel has forgotten.
            _owners.Remove(registration);
            _set.TryControl(Native.Delete, registration.Descriptor, 0, 0);
        }
    }

    /// <summary>Waits for events.</summary>
    /// <returns>How many there are in <paramref name="events"/>.</returns>
    public int Wait(EventBuffer events, TimeSpan wait) => _set.Wait(events, wait);

    /// <summary>
    /// Makes a new epoll descriptor, and watches with it what is watched. A socket that was disposed of behind the
    /// library's back, and of which the process or a child has a duplicate, stays in the kernel's set, and no call can
    /// remove it: its number is closed. Only a new set is without it. If the system is short of something, the old set
    /// stays, which works.
    /// </summary>
    /// <param name="registrations">All there are.</param>
    /// <param name="lose">Called for each whose socket turns out to be closed.</param>
    public void Replace(ReadOnlySpan<Registration?> registrations, Action<Registration> lose)
    {
        EpollSet? set = null;
        try
        {
            set = new EpollSet();
            WatchWakeUp(set);
            foreach (Registration? registration in registrations)
            {
                if (registration is not null && Contains(registration))
                {
                    WatchAgain(set, registration, lose);
                }
            }
        }
        catch (IOException)
        {
            set?.Dispose();
            return;
        }

        _set.Dispose();
        _set = set;
    }

    public void Dispose() => _set.Dispose();

    private static void WatchAgain(EpollSet set, Registration registration, Action<Registration> lose)
    {
        using var descriptor = HeldDescriptor.Of(registration.Entry.Handle);
        if (descriptor.IsClosed)
        {
            lose(registration);
        }
        else
        {
            set.Control(Native.Add, descriptor.Number, EpollEvents.Of(registration.Entry), registration.Data);
        }
    }

    private void WatchWakeUp(EpollSet set) =>
        set.Control(Native.Add, (int)_wakeUp.DangerousGetHandle(), Native.In, _wakeUpData);

    private void Control(int operation, Registration registration) =>
        _set.Control(operation, registration.Descriptor, EpollEvents.Of(registration.Entry), registration.Data);
}
