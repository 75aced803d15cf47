using System.Buffers;

namespace SelectReactor;

/// <summary>
/// Decodes frames whose header says how many bytes follow it. The header's own length may depend on its content.
/// Derive from it and override <see cref="DecodeHeader"/>; <see cref="LengthPrefixDecoder"/> reads the common kinds. A
/// frame is a part of the input and is not copied.
/// </summary>
public abstract class HeaderDecoder : MessageDecoder<ReadOnlySequence<byte>>
{
    /// <summary>For derived decoders.</summary>
    /// <param name="maxBodyBytes">The most bytes that may follow a header. The peer's value is compared with it before
    /// anything is added or waited for.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxBodyBytes"/> is negative.</exception>
    protected HeaderDecoder(int maxBodyBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBodyBytes);
        MaxBodyBytes = maxBodyBytes;
    }

    /// <summary>The most bytes that may follow a header.</summary>
    public int MaxBodyBytes { get; }

    /// <summary>How many bytes are left out at the start of each frame; 0 keeps the header. A frame that has fewer is
    /// malformed. Default (null): the header, so that a frame is the body alone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int? Strip
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value ?? 0, nameof(Strip));
            field = value;
        }
    }

    /// <inheritdoc/>
    public sealed override DecodeResult<ReadOnlySequence<byte>> Decode(
        in ReadOnlySequence<byte> input, long examined)
    {
        DecodeResult<ulong> header = DecodeHeader(input);
        if (header.Status != DecodeStatus.Message)
        {
            return header.WithoutMessage();
        }

        if (header.Message > (ulong)MaxBodyBytes)
        {
            return DecodeResult.TooLong(
                $"A message of {header.Message} bytes is longer than the limit of {MaxBodyBytes}.");
        }

        long length = header.Consumed + (long)header.Message;
        long strip = Strip ?? header.Consumed;
        if (strip > length)
        {
            return DecodeResult.Malformed($"A message of {length} bytes is shorter than its header of {strip}.");
        }

        return input.Length < length
            ? DecodeResult.NeedMore(length)
            : DecodeResult.Message(input.Slice(strip, length - strip), length);
    }

    /// <summary>Reads the header at the start of the input. Called again for each part of a frame that arrives, until
    /// the frame's length is known, and once more when the frame is complete.</summary>
    /// <returns>As message, the number of bytes that follow the header, however large; as consumed bytes, the length
    /// of the header. <see cref="DecodeStatus.NeedMore"/> while the header is not complete.</returns>
    protected abstract DecodeResult<ulong> DecodeHeader(in ReadOnlySequence<byte> input);
}
