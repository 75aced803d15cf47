using System.Buffers;

namespace SelectReactor;

/// <summary>Writes frames that all have the same length, for <see cref="FixedLengthDecoder"/>: it refuses
/// others.</summary>
public sealed class FixedLengthEncoder : FrameEncoder
{
    /// <summary>An encoder for frames of one length.</summary>
    /// <param name="length">The bytes of a frame.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is not above zero.</exception>
    public FixedLengthEncoder(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
    }

    /// <summary>The bytes of a frame.</summary>
    public int Length { get; }

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        VerifyLength(message.Length);
        output.Write(message);
    }

    /// <inheritdoc/>
    public override void Encode(in ReadOnlySequence<byte> message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        VerifyLength(message.Length);
        foreach (ReadOnlyMemory<byte> segment in message)
        {
            output.Write(segment.Span);
        }
    }

    private void VerifyLength(long length)
    {
        if (length != Length)
        {
            throw new ArgumentException($"A message has {Length} bytes, not {length}.");
        }
    }
}
