using System.Buffers;

namespace SelectReactor.Buffers;

/// <summary>
/// A place in a chain, and the range of a block of memory that it shows. Most segments have a block of their own, for
/// life, so that renting one costs no allocation: written bytes are <c>[0, End)</c>; those before
/// <see cref="Start"/> are consumed. A view shows a range of another segment's block, its <see cref="Origin"/>. A
/// block is in use while its own segment or a view of it is in a chain.
/// </summary>
internal sealed class BufferSegment(BufferPool pool, byte[] block) : ReadOnlySequenceSegment<byte>
{
    private byte[] _block = block;
    private BufferSegment? _origin;
    private int _users;

    /// <summary>Where the memory belongs. Any thread.</summary>
    public BufferPool Pool => pool;

    public int Start { get; set; }

    public int End { get; private set; }

    /// <summary>Whether a writer was lent its free end and has not committed yet.</summary>
    public bool IsLent { get; set; }

    /// <summary>Whether somebody may hold on to memory of it for good: a writer that was lent it again before the
    /// first loan ended, or a reader that had not advanced when the connection ended.</summary>
    public bool IsEscaped { get; set; }

    /// <summary>Whether somebody may still look at it or write to it: it must not be used for anything else
    /// then.</summary>
    public bool IsShared => IsLent || IsEscaped;

    /// <summary>The one that shows its bytes to readers, if any.</summary>
    public IByteSource? Source { get; set; }

    /// <summary>Whether it shows a range of another segment's block.</summary>
    public bool IsView => _origin is not null;

    /// <summary>The segment to which the block belongs: for most this one.</summary>
    public BufferSegment Origin => _origin ?? this;

    /// <summary>The memory that it keeps in use, in bytes.</summary>
    public int Capacity => _block.Length;

    /// <summary>The memory that its chain counts for it, in bytes.</summary>
    public int Counted { get; set; }

    /// <summary>The room behind its last byte. A view has none: that room is its origin's.</summary>
    public int Free => IsView ? 0 : _block.Length - End;

    public int Length => End - Start;

    public BufferSegment? Successor => (BufferSegment?)Next;

    public Span<byte> FreeSpan => _block.AsSpan(End, Free);

    public ReadOnlySpan<byte> Unread => _block.AsSpan(Start, Length);

    public ArraySegment<byte> UnreadSegment => new(_block, Start, Length);

    /// <summary>The block from here to its end. Not for a view, whose block is its origin's.</summary>
    public Memory<byte> MemoryFrom(int start) => _block.AsMemory(start);

    public void Commit(int count)
    {
        End += count;
        Memory = _block.AsMemory(0, End);
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
        Source = null;
        Next = next;
    }

    /// <summary>Notes that it is in no chain any more, though views of its block may be. A reader that may still look
    /// at it keeps the way to the next one.</summary>
    public void LeaveChain()
    {
        Source = null;
        Next = IsEscaped ? Next : null;
    }

    /// <summary>Whether its bytes from <paramref name="start"/> to <paramref name="end"/> may be shown elsewhere, too.
    /// If not they can still be copied: nobody else has the memory.</summary>
    /// <exception cref="InvalidOperationException">The reader has given the bytes back: they may be other ones by
    /// now.</exception>
    public bool MayShare(int start, int end)
    {
        if (IsEscaped)
        {
            return false;
        }

        if (start < Start || start > End || end > End || Source is not { IsShown: true })
        {
            throw new InvalidOperationException(
                "The bytes were given back by AdvanceTo or Complete: call Append before.");
        }

        return true;
    }

    /// <summary>Makes it a view of <paramref name="length"/> bytes of a block.</summary>
    public void Show(BufferSegment origin, int start, int length)
    {
        _origin = origin;
        _block = origin._block;
        Start = start;
        End = start + length;
        origin.BeginUse();
    }

    /// <summary>Shows so many more bytes of the block, as a view.</summary>
    public void ShowMore(int count) => End += count;

    /// <summary>Ends the view, if it is one.</summary>
    /// <returns>The segment whose block it showed.</returns>
    public BufferSegment? Detach()
    {
        BufferSegment? origin = _origin;
        if (origin is not null)
        {
            _origin = null;
            _block = [];
        }

        return origin;
    }

    public void BeginUse() => _users++;

    /// <returns>Whether the block is out of use now.</returns>
    public bool EndUse() => --_users == 0;
}
