using System.Diagnostics;
using System.Runtime.InteropServices;
using SelectReactor.Epoll;

namespace SelectReactor;

/// <summary>
/// A selector on epoll(7) of Linux, level-triggered: the cost of a wait grows with the number of ready handles, and
/// not with the number of registered ones. Use it with <c>new ReactorOptions().UseEpoll()</c>. With
/// <c>SelectorFactory = EpollSelector.Create</c> alone it watches <see cref="SocketHandle"/>s. It watches as many
/// handles as the process may open. A wait that a signal interrupts goes on for the rest of its time. If a socket is
/// closed while it is registered, the kernel forgets it without notice. The selector finds out when another handle
/// gets its descriptor or when its interest changes, and then reports it as evicted.
/// </summary>
public sealed class EpollSelector : ISelector
{
    private const ulong WakeUpData = ulong.MaxValue;
    private readonly NativeHandle _epoll;
    private readonly NativeHandle _wakeUp;
    private readonly EventBuffer _events = new(capacity: 512);
    private readonly EventBuffer _request = new(capacity: 1);
    private readonly Stack<int> _freeSlots = new();
    private readonly List<Registration> _lost = [];
    private readonly DescriptorOwners _owners = new();
    private Registration?[] _registrations = new Registration?[64];
    private int _slots;
    private uint _generation;

    private EpollSelector()
    {
        _epoll = Native.EpollCreate(Native.CloseOnExec);
        ThrowIfInvalid(_epoll, "epoll_create1");
        _wakeUp = Native.EventDescriptor(0, Native.CloseOnExec | Native.NonBlocking);
        ThrowIfInvalid(_wakeUp, "eventfd");
        int descriptor = (int)_wakeUp.DangerousGetHandle();
        Control(Native.Add, descriptor, Native.In, WakeUpData);
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
        if (before == now || _epoll.IsClosed)
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
            Control(Native.Add, registration, now);
            if (_owners.Add(registration) is { } lost)
            {
                Lose(lost);
            }
        }
        else if (_owners.Contains(registration))
        {
            Control(Native.Modify, registration, now);
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
        int count = Wait(_lost.Count == 0 ? wait : TimeSpan.Zero);
        for (int i = 0; i < count; i++)
        {
            (uint events, ulong data) = _events.Get(i);
            if (data == WakeUpData)
            {
                DrainWakeUp();
            }
            else if (Find(data) is { } entry
                && EpollEvents.ToInterest(events, entry.Interest) is var found and not Interest.None)
            {
                entry.Ready = found;
                ready.Add(entry);
            }
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
        _epoll.Dispose();
    }

    internal static void ThrowUnlessLinux()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("epoll needs Linux: leave the reactor's options alone elsewhere.");
        }
    }

    private static void ThrowIfInvalid(NativeHandle handle, string call)
    {
        if (handle.IsInvalid)
        {
            throw Failure(call);
        }
    }

    private static IOException Failure(string call) =>
        new($"{call} failed: {Marshal.GetLastPInvokeErrorMessage()}.");

    private int Wait(TimeSpan wait)
    {
        int milliseconds = EpollEvents.ToMilliseconds(wait);
        long start = milliseconds > 0 ? Stopwatch.GetTimestamp() : 0;
        for (int left = milliseconds; ;)
        {
            int count = Native.EpollWait(_epoll, ref _events.Reference, _events.Capacity, left);
            if (count >= 0)
            {
                return count;
            }

            if (Marshal.GetLastPInvokeError() != Native.Interrupted)
            {
                throw Failure("epoll_wait");
            }

            if (milliseconds > 0)
            {
                TimeSpan rest = TimeSpan.FromMilliseconds(milliseconds) - Stopwatch.GetElapsedTime(start);
                left = Math.Max(EpollEvents.ToMilliseconds(rest), 0);
            }
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
        if (_owners.Contains(registration) && !_epoll.IsClosed)
        {
            // It fails for a socket that is closed already, which the kernel has forgotten.
            _owners.Remove(registration);
            Native.EpollControl(_epoll, Native.Delete, registration.Descriptor, ref _request.Reference);
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

    private void Control(int operation, Registration registration, uint events) =>
        Control(operation, registration.Descriptor, events, registration.Data);

    private void Control(int operation, int descriptor, uint events, ulong data)
    {
        _request.Set(0, events, data);
        if (Native.EpollControl(_epoll, operation, descriptor, ref _request.Reference) != 0)
        {
            throw Failure("epoll_ctl");
        }
    }
}
