using System.Buffers;
using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>Decodes frames that end with a delimiter, which is not part of the frame. A frame is a part of the input
/// and is not copied. For lines, see <see cref="LineDecoder"/>.</summary>
public sealed class DelimiterDecoder : MessageDecoder<ReadOnlySequence<byte>>
{
    private readonly byte[] _delimiter;

    /// <summary>A decoder for one delimiter.</summary>
    /// <param name="delimiter">At least one byte.</param>
    /// <param name="maxFrameBytes">The most bytes of a frame, without the delimiter.</param>
    /// <exception cref="ArgumentException"><paramref name="delimiter"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxFrameBytes"/> is negative.</exception>
    public DelimiterDecoder(ReadOnlySpan<byte> delimiter, int maxFrameBytes)
    {
        if (delimiter.IsEmpty)
        {
            throw new ArgumentException("A delimiter has at least one byte.", nameof(delimiter));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(maxFrameBytes);
        _delimiter = delimiter.ToArray();
        MaxFrameBytes = maxFrameBytes;
    }

    /// <summary>The most bytes of a frame, without the delimiter.</summary>
    public int MaxFrameBytes { get; }

    /// <summary>Whether the end of the peer's stream ends a frame, too. Default: false, since the last frame may be
    /// cut off.</summary>
    public bool AcceptsUnterminatedEnd { get; init; }

    /// <inheritdoc/>
    public override DecodeResult<ReadOnlySequence<byte>> Decode(in ReadOnlySequence<byte> input, long examined)
    {
        // The delimiter may have begun in what was seen before.
        long from = Math.Max(0, examined - (_delimiter.Length - 1));
        long end = SequenceSearch.IndexOf(input, _delimiter, from);
        if (end >= 0)
        {
            return FrameOf(input, end, consumed: end + _delimiter.Length);
        }

        return input.Length < (long)MaxFrameBytes + _delimiter.Length ? DecodeResult.NeedMore() : TooLong();
    }

    /// <inheritdoc/>
    public override DecodeResult<ReadOnlySequence<byte>> DecodeEnd(in ReadOnlySequence<byte> input) =>
        AcceptsUnterminatedEnd ? FrameOf(input, input.Length, consumed: input.Length) : DecodeResult.NeedMore();

    private DecodeResult<ReadOnlySequence<byte>> FrameOf(
        in ReadOnlySequence<byte> input, long length, long consumed) =>
        length <= MaxFrameBytes ? DecodeResult.Message(input.Slice(0, length), consumed) : TooLong();

    private DecodeResult TooLong() => DecodeResult.TooLong($"A message may have {MaxFrameBytes} bytes.");
}
