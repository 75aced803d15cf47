using System.Buffers;

namespace SelectReactor;

/// <summary>Decodes frames that all have the same length. A frame is a part of the input and is not copied.</summary>
public sealed class FixedLengthDecoder : MessageDecoder<ReadOnlySequence<byte>>
{
    /// <summary>A decoder for frames of one length.</summary>
    /// <param name="length">The bytes of a frame.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is not above zero.</exception>
    public FixedLengthDecoder(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
    }

    /// <summary>The bytes of a frame.</summary>
    public int Length { get; }

    /// <inheritdoc/>
    public override DecodeResult<ReadOnlySequence<byte>> Decode(in ReadOnlySequence<byte> input, long examined) =>
        input.Length < Length ? DecodeResult.NeedMore(Length) : DecodeResult.Message(input.Slice(0, Length), Length);
}
