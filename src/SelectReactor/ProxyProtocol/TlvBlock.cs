using System.Buffers;
using System.Buffers.Binary;

namespace SelectReactor.ProxyProtocol;

/// <summary>Values that stand one after the other, each behind its type and its length.</summary>
internal static class TlvBlock
{
    public const int HeaderBytes = 3;

    /// <summary>Takes the first value off a block.</summary>
    /// <returns>Whether it is whole. If not, the block is not changed.</returns>
    public static bool TryTake(ref ReadOnlySpan<byte> block, out byte type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (block.Length < HeaderBytes)
        {
            return false;
        }

        int end = HeaderBytes + BinaryPrimitives.ReadUInt16BigEndian(block[1..]);
        if (block.Length < end)
        {
            return false;
        }

        type = block[0];
        value = block[HeaderBytes..end];
        block = block[end..];
        return true;
    }

    /// <summary>Whether the values fill the block exactly.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> block)
    {
        while (!block.IsEmpty)
        {
            if (!TryTake(ref block, out _, out _))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The first value of a type. Null if there is none.</summary>
    public static ReadOnlyMemory<byte>? Find(ReadOnlyMemory<byte> block, byte type)
    {
        ReadOnlySpan<byte> rest = block.Span;
        while (TryTake(ref rest, out byte found, out ReadOnlySpan<byte> value))
        {
            if (found == type)
            {
                return block.Slice(block.Length - rest.Length - value.Length, value.Length);
            }
        }

        return null;
    }

    /// <exception cref="ArgumentException">The value has more than 65,535 bytes.</exception>
    public static void Write(byte type, ReadOnlySpan<byte> value, IBufferWriter<byte> output)
    {
        if (value.Length > ushort.MaxValue)
        {
            throw new ArgumentException(
                $"A value may have {ushort.MaxValue} bytes, not {value.Length}.", nameof(value));
        }

        Span<byte> room = output.GetSpan(HeaderBytes + value.Length);
        room[0] = type;
        BinaryPrimitives.WriteUInt16BigEndian(room[1..], (ushort)value.Length);
        value.CopyTo(room[HeaderBytes..]);
        output.Advance(HeaderBytes + value.Length);
    }
}
