using System.Buffers;

namespace SelectReactor.Buffers;

/// <summary>
/// One block of memory and its place in a chain of blocks. The block and this object stay together for life, so that
/// renting one costs no allocation. Written bytes are <c>[0, End)</c>; those before <see cref="Start"/> are consumed.
/// </summary>
internal sealed class BufferSegment(byte[] block) : ReadOnlySequenceSegment<byte>
{
    public int Start { get; set; }

    public int End { get; private set; }

    /// <summary>Whether a writer was lent its free end and has not committed yet.</summary>
    public bool IsLent { get; set; }

    /// <summary>Whether a writer may hold on to memory of it for good, since it was lent again before the first loan
    /// ended.</summary>
    public bool IsEscaped { get; set; }

    /// <summary>Whether somebody may still write to it: it must not be used for anything else then.</summary>
    public bool IsShared => IsLent || IsEscaped;

    public int Capacity => block.Length;

    public int Free => block.Length - End;

    public int Length => End - Start;

    public BufferSegment? Successor => (BufferSegment?)Next;

    public Memory<byte> FreeMemory => block.AsMemory(End);

    public Span<byte> FreeSpan => block.AsSpan(End);

    public ReadOnlySpan<byte> Unread => block.AsSpan(Start, Length);

    public ArraySegment<byte> UnreadSegment => new(block, Start, Length);

    public void Commit(int count)
    {
        End += count;
        Memory = block.AsMemory(0, End);
    }

    public void Append(BufferSegment next)
    {
        next.RunningIndex = RunningIndex + End;
        Next = next;
    }

    /// <summary>Empties it, with <paramref name="next"/> behind it in the pool's list of free segments.</summary>
    public void Reset(BufferSegment? next)
    {
        Start = 0;
        End = 0;
        Memory = default;
        RunningIndex = 0;
        Next = next;
    }
}
