using System.Buffers.Binary;

namespace SelectReactor.Web;

/// <summary>Bytes that differ at every place, so that a lost, doubled or moved piece shows.</summary>
internal static class Pattern
{
    public static byte[] Bytes(long count)
    {
        byte[] bytes = new byte[count];
        Fill(bytes, start: 0);
        return bytes;
    }

    /// <summary>Whether these are the first bytes of the pattern, so many and no more.</summary>
    public static bool Is(ReadOnlySpan<byte> bytes, long count) => bytes.SequenceEqual(Bytes(count));

    /// <summary>Fills with the bytes that stand at <paramref name="start"/> of the endless pattern.</summary>
    public static void Fill(Span<byte> bytes, long start)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        for (int i = 0; i < bytes.Length; i++)
        {
            long place = start + i;
            if (i == 0 || place % sizeof(long) == 0)
            {
                BinaryPrimitives.WriteInt64LittleEndian(number, (place / sizeof(long)) * 0x2545F4914F6CDD1D);
            }

            bytes[i] = number[(int)(place % sizeof(long))];
        }
    }
}
