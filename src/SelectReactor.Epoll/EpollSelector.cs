using System.Diagnostics;
using System.Runtime.InteropServices;
using SelectReactor.Epoll;

namespace SelectReactor;

/// <summary>
/// A selector on epoll(7) of Linux, level-triggered: the cost of a wait grows with the number of ready handles, and
/// not with the number of registered ones. Use it with
/// <c>new ReactorOptions { SelectorFactory = EpollSelector.Create }</c>. It watches <see cref="SocketHandle"/>s, as
/// many as the process may open. A wait that a signal interrupts goes on for the rest of its time. If a socket is
/// closed while it is registered, the kernel forgets it, and no event is reported.
/// </summary>
public sealed class EpollSelector : ISelector
{
    private const ulong WakeUpData = ulong.MaxValue;
    private readonly NativeHandle _epoll;
    private readonly NativeHandle _wakeUp;
    private readonly EventBuffer _events = new(capacity: 512);
    private readonly EventBuffer _request = new(capacity: 1);
    private readonly Stack<int> _freeSlots = new();
    private Registration?[] _registrations = new Registration?[64];
    private int[] _slotOfDescriptor = new int[256];
    private int _slots;
    private uint _generation;

    private EpollSelector()
    {
        _epoll = Native.EpollCreate(Native.CloseOnExec);
        ThrowIfInvalid(_epoll, "epoll_create1");
        _wakeUp = Native.EventDescriptor(0, Native.CloseOnExec | Native.NonBlocking);
        ThrowIfInvalid(_wakeUp, "eventfd");
        Array.Fill(_slotOfDescriptor, -1);
        int descriptor = (int)_wakeUp.DangerousGetHandle();
        Control(Native.Add, descriptor, Native.In, WakeUpData);
    }

    /// <summary>A new selector, for <see cref="ReactorOptions.SelectorFactory"/>.</summary>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux.</exception>
    /// <exception cref="IOException">The system has no descriptor left.</exception>
    public static ISelector Create() => OperatingSystem.IsLinux()
        ? new EpollSelector()
        : throw new PlatformNotSupportedException(
            "EpollSelector needs Linux: leave SelectorFactory at its default elsewhere.");

    /// <inheritdoc/>
    public void Add(SelectorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Handle is not SocketHandle handle)
        {
            throw new ArgumentException(
                $"An EpollSelector watches a SocketHandle, not a {entry.Handle.GetType().Name}.", nameof(entry));
        }

        int slot = _freeSlots.TryPop(out int free) ? free : _slots++;
        if (slot == _registrations.Length)
        {
            Array.Resize(ref _registrations, slot * 2);
        }

        var registration = new Registration(entry, (int)handle.Socket.Handle, slot, ++_generation);
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
        uint before = ToEvents(previous);
        uint now = ToEvents(entry.Interest);
        if (before == now || _epoll.IsClosed || (now != 0 && entry.Handle.IsClosed))
        {
            return;
        }

        var registration = Registration.Of(entry);
        if (now == 0)
        {
            // The kernel would go on to report errors and hang-ups, whatever the interest is.
            Forget(registration);
        }
        else if (before == 0)
        {
            Control(Native.Add, registration, now);
            Own(registration);
        }
        else if (Owns(registration))
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
        _registrations[registration.Slot] = null;
        _freeSlots.Push(registration.Slot);
        entry.State = null;
    }

    /// <inheritdoc/>
    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        int count = Wait(wait);
        for (int i = 0; i < count; i++)
        {
            (uint events, ulong data) = _events.Get(i);
            if (data == WakeUpData)
            {
                DrainWakeUp();
            }
            else if (Find(data) is { } entry
                && ToInterest(events, entry.Interest) is var found and not Interest.None)
            {
                entry.Ready = found;
                ready.Add(entry);
            }
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

    private static uint ToEvents(Interest interest) =>
        ((interest & Interest.Read) != 0 ? Native.In : 0)
        | ((interest & (Interest.Write | Interest.Connect)) != 0 ? Native.Out : 0);

    // An error or a hang-up makes the handle ready for everything that it is watched for: the next call on it tells
    // which error it is.
    private static Interest ToInterest(uint events, Interest interest)
    {
        if ((events & (Native.Error | Native.HangUp)) != 0)
        {
            return interest;
        }

        Interest found = (events & Native.In) != 0 ? Interest.Read : Interest.None;
        if ((events & Native.Out) != 0)
        {
            found |= Interest.Write | Interest.Connect;
        }

        return found & interest;
    }

    // Whole milliseconds, rounded up: a shorter wait would be none at all, and spin until the timer is due.
    private static int ToMilliseconds(TimeSpan wait)
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

        return (int)Math.Min(milliseconds, int.MaxValue);
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
        int milliseconds = ToMilliseconds(wait);
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
                left = ToMilliseconds(TimeSpan.FromMilliseconds(milliseconds) - Stopwatch.GetElapsedTime(start));
                left = Math.Max(left, 0);
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
        if (Owns(registration) && !_epoll.IsClosed)
        {
            // It fails for a socket that is closed already, which the kernel has forgotten.
            _slotOfDescriptor[registration.Descriptor] = -1;
            Native.EpollControl(_epoll, Native.Delete, registration.Descriptor, ref _request.Reference);
        }
    }

    // A socket that is closed already may have given its number to another socket with a registration of its own.
    private bool Owns(Registration registration)
    {
        int descriptor = registration.Descriptor;
        return descriptor < _slotOfDescriptor.Length && _slotOfDescriptor[descriptor] == registration.Slot;
    }

    private void Own(Registration registration)
    {
        int descriptor = registration.Descriptor;
        if (descriptor >= _slotOfDescriptor.Length)
        {
            int length = _slotOfDescriptor.Length;
            Array.Resize(ref _slotOfDescriptor, Math.Max(descriptor + 1, length * 2));
            Array.Fill(_slotOfDescriptor, -1, length, _slotOfDescriptor.Length - length);
        }

        _slotOfDescriptor[descriptor] = registration.Slot;
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
