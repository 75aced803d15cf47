using System.Buffers;
using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>Writes frames that end with a delimiter, for <see cref="DelimiterDecoder"/>.</summary>
public sealed class DelimiterEncoder : FrameEncoder
{
    private readonly byte[] _delimiter;

    /// <summary>An encoder for one delimiter.</summary>
    /// <param name="delimiter">At least one byte.</param>
    /// <exception cref="ArgumentException"><paramref name="delimiter"/> is empty.</exception>
    public DelimiterEncoder(ReadOnlySpan<byte> delimiter)
    {
        if (delimiter.IsEmpty)
        {
            throw new ArgumentException("A delimiter has at least one byte.", nameof(delimiter));
        }

        _delimiter = delimiter.ToArray();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The peer would find the delimiter before the end of the message, and so two
    /// messages. Nothing was written.</exception>
    public override void Encode(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        VerifyHasNoDelimiter(message.IndexOf(_delimiter) >= 0 || EndBeginsDelimiter(message));
        output.Write(message);
        output.Write(_delimiter);
    }

    /// <inheritdoc cref="Encode(ReadOnlySpan{byte}, IBufferWriter{byte})"/>
    public override void Encode(in ReadOnlySequence<byte> message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (message.IsSingleSegment)
        {
            Encode(message.FirstSpan, output);
            return;
        }

        byte[] end = message.Slice(Math.Max(0, message.Length - _delimiter.Length)).ToArray();
        VerifyHasNoDelimiter(SequenceSearch.IndexOf(message, _delimiter, from: 0) >= 0 || EndBeginsDelimiter(end));
        foreach (ReadOnlyMemory<byte> segment in message)
        {
            output.Write(segment.Span);
        }

        output.Write(_delimiter);
    }

    // Whether the last bytes of the message, with the first ones of the delimiter, make a delimiter that is found
    // first: after "a\n" the delimiter "\n\n" would begin one byte too early.
    private bool EndBeginsDelimiter(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> delimiter = _delimiter;
        for (int taken = 1; taken < delimiter.Length; taken++)
        {
            if (message.EndsWith(delimiter[..taken]) && delimiter.StartsWith(delimiter[taken..]))
            {
                return true;
            }
        }

        return false;
    }

    private static void VerifyHasNoDelimiter(bool hasDelimiter)
    {
        if (hasDelimiter)
        {
            throw new ArgumentException("The message contains the delimiter.");
        }
    }
}
