using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SelectReactor.Epoll;

/// <summary>An epoll descriptor: what the kernel watches.</summary>
internal sealed class EpollSet : IDisposable
{
    private readonly NativeHandle _epoll;
    private readonly EventBuffer _request = new(capacity: 1);

    /// <summary>A new one that watches nothing.</summary>
    /// <exception cref="IOException">The system has no descriptor left.</exception>
    public EpollSet()
    {
        _epoll = Native.EpollCreate(Native.CloseOnExec);
        ThrowIfInvalid(_epoll, "epoll_create1");
    }

    public bool IsClosed => _epoll.IsClosed;

    public static void ThrowIfInvalid(NativeHandle handle, string call)
    {
        if (handle.IsInvalid)
        {
            throw Failure(call);
        }
    }

    /// <summary>Adds or modifies.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Control(int operation, int descriptor, uint events, ulong data)
    {
        if (!TryControl(operation, descriptor, events, data))
        {
            throw Failure("epoll_ctl");
        }
    }

    public bool TryControl(int operation, int descriptor, uint events, ulong data)
    {
        _request.Set(0, events, data);
        return Native.EpollControl(_epoll, operation, descriptor, ref _request.Reference) == 0;
    }

    /// <summary>Waits for events. If a signal interrupts it, it goes on for the rest of its time.</summary>
    /// <returns>How many there are in <paramref name="events"/>.</returns>
    public int Wait(EventBuffer events, TimeSpan wait)
    {
        int milliseconds = EpollEvents.ToMilliseconds(wait);
        long start = milliseconds > 0 ? Stopwatch.GetTimestamp() : 0;
        for (int left = milliseconds; ;)
        {
            int count = Native.EpollWait(_epoll, ref events.Reference, events.Capacity, left);
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

    public void Dispose() => _epoll.Dispose();

    private static IOException Failure(string call) =>
        new($"{call} failed: {Marshal.GetLastPInvokeErrorMessage()}.");
}
