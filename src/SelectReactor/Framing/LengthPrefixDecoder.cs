using System.Buffers;
using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>
/// Decodes frames that begin with their length. With the defaults the length comes first and counts what follows it,
/// and a frame is what follows. A body may be empty.
/// </summary>
/// <example>A header of a type (1 byte), the length of the whole frame (2 bytes) and a channel (2 bytes), which stays
/// part of the frame:
/// <code>
/// new LengthPrefixDecoder(LengthField.UInt16BigEndian, 10_000) { Offset = 1, Adjustment = -3, Strip = 0 }
/// </code>
/// </example>
public sealed class LengthPrefixDecoder : HeaderDecoder
{
    private readonly LengthField _field;
    private readonly int _size;

    /// <summary>A decoder of one kind of length.</summary>
    /// <param name="field">How the length is written.</param>
    /// <param name="maxBodyBytes">The most bytes that may follow the length. See
    /// <see cref="ConnectionOptions.MaxInputBytes"/>, too, which bounds the whole frame.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="field"/> has no such value, or
    /// <paramref name="maxBodyBytes"/> is negative.</exception>
    public LengthPrefixDecoder(LengthField field, int maxBodyBytes)
        : base(maxBodyBytes)
    {
        _field = field;
        _size = field == LengthField.Varint ? 0 : LengthCode.SizeOf(field);
    }

    /// <summary>How many bytes come before the length. Default: 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int Offset
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>What is added to the length to get the number of bytes that follow it. Negative if the length also
    /// counts itself or what comes before it; a length that is then too small is malformed. Positive if more follows
    /// than it counts, such as a checksum. Default: 0.</summary>
    public int Adjustment { get; init; }

    /// <inheritdoc/>
    protected override DecodeResult<ulong> DecodeHeader(in ReadOnlySequence<byte> input)
    {
        if (_field == LengthField.Varint)
        {
            return DecodeVarintHeader(input);
        }

        // In 64 bits, since Offset may be the largest integer.
        long header = (long)Offset + _size;
        ReadOnlySpan<byte> first = input.FirstSpan;
        if (first.Length >= header)
        {
            return BodyAfter(header, LengthCode.Read(_field, first[Offset..]));
        }

        if (input.Length < header)
        {
            return DecodeResult.NeedMore(header);
        }

        Span<byte> copy = stackalloc byte[LengthCode.MaxSize];
        input.Slice(Offset, _size).CopyTo(copy);
        return BodyAfter(header, LengthCode.Read(_field, copy));
    }

    private DecodeResult<ulong> DecodeVarintHeader(in ReadOnlySequence<byte> input)
    {
        if (input.Length <= Offset)
        {
            return DecodeResult.NeedMore(Offset + 1L);
        }

        Span<byte> copy = stackalloc byte[LengthCode.MaxSize];
        int size = (int)Math.Min(LengthCode.MaxSize, input.Length - Offset);
        scoped ReadOnlySpan<byte> bytes = input.FirstSpan;
        if (bytes.Length - size >= Offset)
        {
            bytes = bytes.Slice(Offset, size);
        }
        else
        {
            input.Slice(Offset, size).CopyTo(copy);
            bytes = copy[..size];
        }

        DecodeResult<ulong> length = LengthCode.ReadVarint(bytes);
        return length.Status == DecodeStatus.Message ? BodyAfter(Offset + length.Consumed, length.Message) : length;
    }

    private DecodeResult<ulong> BodyAfter(long header, ulong length)
    {
        if (Adjustment >= 0)
        {
            // A sum that overflows is over any limit.
            ulong sum = length + (ulong)Adjustment;
            return DecodeResult.Message(sum < length ? ulong.MaxValue : sum, header);
        }

        ulong excess = (ulong)-(long)Adjustment;
        return length >= excess
            ? DecodeResult.Message(length - excess, header)
            : DecodeResult.Malformed($"A length of {length} is less than the {excess} bytes that it includes.");
    }
}
