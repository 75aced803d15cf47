using System.Buffers.Binary;

namespace SelectReactor.Framing;

/// <summary>Reads and writes the kinds of <see cref="LengthField"/>.</summary>
internal static class LengthCode
{
    /// <summary>Of all kinds.</summary>
    public const int MaxSize = 10;

    /// <summary>The bytes of a length of one of the kinds that have a fixed size.</summary>
    public static int SizeOf(LengthField field) => field switch
    {
        LengthField.Byte => sizeof(byte),
        LengthField.UInt16BigEndian or LengthField.UInt16LittleEndian => sizeof(ushort),
        LengthField.UInt32BigEndian or LengthField.UInt32LittleEndian => sizeof(uint),
        LengthField.UInt64BigEndian or LengthField.UInt64LittleEndian => sizeof(ulong),
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "It is no LengthField of a fixed size."),
    };

    /// <summary>The largest length that can be written.</summary>
    public static ulong MaxOf(LengthField field) => field switch
    {
        LengthField.Byte => byte.MaxValue,
        LengthField.UInt16BigEndian or LengthField.UInt16LittleEndian => ushort.MaxValue,
        LengthField.UInt32BigEndian or LengthField.UInt32LittleEndian => uint.MaxValue,
        _ => ulong.MaxValue,
    };

    /// <summary>Reads a length of a fixed size. There must be enough bytes.</summary>
    public static ulong Read(LengthField field, ReadOnlySpan<byte> bytes) => field switch
    {
        LengthField.Byte => bytes[0],
        LengthField.UInt16BigEndian => BinaryPrimitives.ReadUInt16BigEndian(bytes),
        LengthField.UInt16LittleEndian => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        LengthField.UInt32BigEndian => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        LengthField.UInt32LittleEndian => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        LengthField.UInt64BigEndian => BinaryPrimitives.ReadUInt64BigEndian(bytes),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
    };

    /// <summary>Reads a length of variable size: its value as message.</summary>
    public static DecodeResult<ulong> ReadVarint(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            byte next = bytes[i];
            if (i == MaxSize - 1 && next > 1)
            {
                return DecodeResult.Malformed("A length has more than 64 bits.");
            }

            value |= (ulong)(next & 0x7f) << (7 * i);
            if (next < 0x80)
            {
                return DecodeResult.Message(value, i + 1);
            }
        }

        return DecodeResult.NeedMore();
    }

    /// <summary>Writes a length that the kind has room for, into at least <see cref="MaxSize"/> bytes.</summary>
    /// <returns>How many bytes it takes.</returns>
    public static int Write(LengthField field, Span<byte> bytes, ulong value)
    {
        switch (field)
        {
            case LengthField.Byte:
                bytes[0] = (byte)value;
                break;
            case LengthField.UInt16BigEndian:
                BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
                break;
            case LengthField.UInt16LittleEndian:
                BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
                break;
            case LengthField.UInt32BigEndian:
                BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)value);
                break;
            case LengthField.UInt32LittleEndian:
                BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value);
                break;
            case LengthField.UInt64BigEndian:
                BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
                break;
            case LengthField.UInt64LittleEndian:
                BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
                break;
            default:
                return WriteVarint(bytes, value);
        }

        return SizeOf(field);
    }

    private static int WriteVarint(Span<byte> bytes, ulong value)
    {
        int size = 0;
        for (; value >= 0x80; value >>= 7)
        {
            bytes[size++] = (byte)(value | 0x80);
        }

        bytes[size++] = (byte)value;
        return size;
    }
}
