using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SelectReactor.LoadTest.Load;

/// <summary>An epoll instance of the generator: level-triggered, each descriptor known by an index.</summary>
internal sealed unsafe class Poller
{
    private const int Capacity = 512;

    // The kernel packs struct epoll_event on x86 only.
    private static readonly bool _isPacked =
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;

    private static readonly int _stride = _isPacked ? 12 : 16;
    private static readonly int _dataOffset = _isPacked ? 4 : 8;

    // It lives as long as the process.
    private readonly byte* _events = (byte*)NativeMemory.AllocZeroed(Capacity * 16);
    private readonly int _descriptor = ClientSocket.Check(Libc.EpollCreate(0), "epoll_create1");

    public void Add(int descriptor, int index, uint events) => Control(Libc.EpollAdd, descriptor, index, events);

    public void Modify(int descriptor, int index, uint events) => Control(Libc.EpollModify, descriptor, index, events);

    /// <summary>How many events came until a moment (a <see cref="Stopwatch"/> timestamp); it never spins.</summary>
    public int WaitUntil(long moment, long now)
    {
        // Rounded up: a wait cut to zero milliseconds would be a spin.
        long milliseconds = ((moment - now) * 1000 / Stopwatch.Frequency) + 1;
        int count = Libc.EpollWait(_descriptor, _events, Capacity, (int)Math.Clamp(milliseconds, 0, int.MaxValue));
        return Math.Max(count, 0);
    }

    /// <summary>How many events there are already.</summary>
    public int Peek() => Math.Max(Libc.EpollWait(_descriptor, _events, Capacity, 0), 0);

    public (int Index, uint Events) this[int number]
    {
        get
        {
            byte* slot = _events + (number * _stride);
            return (Unsafe.ReadUnaligned<int>(slot + _dataOffset), Unsafe.ReadUnaligned<uint>(slot));
        }
    }

    private void Control(int operation, int descriptor, int index, uint events)
    {
        byte* change = stackalloc byte[16];
        Unsafe.WriteUnaligned(change, events);
        Unsafe.WriteUnaligned(change + _dataOffset, (long)index);
        ClientSocket.Check(Libc.EpollControl(_descriptor, operation, descriptor, change), "epoll_ctl");
    }
}
