using System.Runtime.InteropServices;

namespace SelectReactor.Epoll;

/// <summary>
/// An array of <c>struct epoll_event</c>: 32 bits of events and 64 bits of data, which the kernel packs on x86 only,
/// for the sake of 32-bit programs there.
/// </summary>
internal sealed class EventBuffer(int capacity)
{
    private static readonly bool _isPacked =
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;

    private static readonly int _stride = _isPacked ? 12 : 16;
    private static readonly int _dataOffset = _isPacked ? 4 : 8;
    private readonly byte[] _bytes = new byte[capacity * _stride];

    public int Capacity => capacity;

    public ref byte Reference => ref MemoryMarshal.GetArrayDataReference(_bytes);

    public void Set(int index, uint events, ulong data)
    {
        Span<byte> slot = _bytes.AsSpan(index * _stride, _stride);
        Write(slot, events);
        Write(slot[_dataOffset..], data);
    }

    public (uint Events, ulong Data) Get(int index)
    {
        ReadOnlySpan<byte> slot = _bytes.AsSpan(index * _stride, _stride);
        return (MemoryMarshal.Read<uint>(slot), MemoryMarshal.Read<ulong>(slot[_dataOffset..]));
    }

    private static void Write<T>(Span<byte> to, T value)
        where T : struct => MemoryMarshal.Write(to, in value);
}
