using System.Buffers;
using System.Text;
using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>
/// Decodes lines that end with LF or CRLF, which are not part of the line. A line is a part of the input and is not
/// copied; <see cref="AsText"/> makes strings.
/// </summary>
public sealed class LineDecoder : MessageDecoder<ReadOnlySequence<byte>>
{
    private static readonly UTF8Encoding _strict =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A decoder for lines up to a length.</summary>
    /// <param name="maxLineBytes">The most bytes of a line, without its end.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLineBytes"/> is negative.</exception>
    public LineDecoder(int maxLineBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxLineBytes);
        MaxLineBytes = maxLineBytes;
    }

    /// <summary>The most bytes of a line, without its end.</summary>
    public int MaxLineBytes { get; }

    /// <summary>Whether the end of the peer's stream ends a line, too. Default: false, since the last line may be cut
    /// off.</summary>
    public bool AcceptsUnterminatedEnd { get; init; }

    /// <inheritdoc/>
    public override DecodeResult<ReadOnlySequence<byte>> Decode(in ReadOnlySequence<byte> input, long examined)
    {
        long end = SequenceSearch.IndexOf(input, "\n"u8, examined);
        if (end >= 0)
        {
            return LineOf(input, end, consumed: end + 1);
        }

        // One byte more may be the CR of the end.
        bool mayEnd = input.Length == MaxLineBytes + 1L && SequenceSearch.At(input, MaxLineBytes) == '\r';
        return input.Length <= MaxLineBytes || mayEnd ? DecodeResult.NeedMore() : TooLong();
    }

    /// <inheritdoc/>
    public override DecodeResult<ReadOnlySequence<byte>> DecodeEnd(in ReadOnlySequence<byte> input) =>
        AcceptsUnterminatedEnd ? LineOf(input, input.Length, consumed: input.Length) : DecodeResult.NeedMore();

    /// <summary>The same lines as strings. A line that is not valid UTF-8 is malformed (RFC 3629, section 3). Where
    /// such bytes shall be replaced instead, use <see cref="MessageDecoder{T}.Select"/> with
    /// <see cref="Encoding.UTF8"/>.</summary>
    public MessageDecoder<string> AsText() => Select(static line =>
    {
        try
        {
            return _strict.GetString(line);
        }
        catch (DecoderFallbackException error)
        {
            throw new InvalidDataException("A line is not valid UTF-8.", error);
        }
    });

    private DecodeResult<ReadOnlySequence<byte>> LineOf(in ReadOnlySequence<byte> input, long end, long consumed)
    {
        long length = end > 0 && SequenceSearch.At(input, end - 1) == '\r' ? end - 1 : end;
        return length <= MaxLineBytes ? DecodeResult.Message(input.Slice(0, length), consumed) : TooLong();
    }

    private DecodeResult TooLong() => DecodeResult.TooLong($"A line may have {MaxLineBytes} bytes.");
}
