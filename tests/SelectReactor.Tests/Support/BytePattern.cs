namespace SelectReactor.Tests.Support;

/// <summary>
/// Endless bytes that any part can be compared with, at the speed of memory. Each piece is a part of the same random
/// bytes and begins where its number says, so that a piece that is lost, repeated or exchanged is noticed.
/// </summary>
internal sealed class BytePattern
{
    private const int PieceLength = 64 * 1024;

    // The rest of a division by a prime, so that neighbours are far from each other.
    private const int Starts = 1_048_573;
    private readonly byte[] _bytes = new byte[Starts + PieceLength];

    public BytePattern(int seed) => new Random(seed).NextBytes(_bytes);

    /// <summary>The bytes from a position to the end of its piece, or fewer.</summary>
    public ReadOnlyMemory<byte> At(long position, int maxLength)
    {
        (long piece, long offset) = Math.DivRem(position, PieceLength);
        int start = (int)(piece * 611_953 % Starts);
        int length = (int)Math.Min(PieceLength - offset, maxLength);
        return _bytes.AsMemory(start + (int)offset, length);
    }

    /// <summary>Whether the bytes are those of the pattern from a position on.</summary>
    public bool Matches(ReadOnlySpan<byte> bytes, long position)
    {
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> expected = At(position, bytes.Length).Span;
            if (!bytes[..expected.Length].SequenceEqual(expected))
            {
                return false;
            }

            position += expected.Length;
            bytes = bytes[expected.Length..];
        }

        return true;
    }
}
