using System.Buffers;
using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>Writes frames that begin with their length, for <see cref="LengthPrefixDecoder"/>.</summary>
public sealed class LengthPrefixEncoder : FrameEncoder
{
    /// <summary>Up to this size the prefix and the body are written as one piece.</summary>
    private const int MaxJoinedBytes = 1024;

    private readonly LengthField _field;

    /// <summary>An encoder of one kind of length.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="field"/> has no such value.</exception>
    public LengthPrefixEncoder(LengthField field)
    {
        if (!Enum.IsDefined(field))
        {
            throw new ArgumentOutOfRangeException(nameof(field), field, "It is no LengthField.");
        }

        _field = field;
    }

    /// <summary>The same as <see cref="LengthPrefixDecoder.Adjustment"/>: the length that is written is the number of
    /// bytes that follow it, less this. Default: 0.</summary>
    public int Adjustment { get; init; }

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        ulong length = LengthFor(message.Length);
        if (message.Length > MaxJoinedBytes)
        {
            WriteLength(length, output);
            output.Write(message);
            return;
        }

        Span<byte> room = output.GetSpan(LengthCode.MaxSize + message.Length);
        int size = LengthCode.Write(_field, room, length);
        message.CopyTo(room[size..]);
        output.Advance(size + message.Length);
    }

    /// <inheritdoc/>
    public override void Encode(in ReadOnlySequence<byte> message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (message.IsSingleSegment)
        {
            Encode(message.FirstSpan, output);
            return;
        }

        WriteLength(LengthFor(message.Length), output);
        foreach (ReadOnlyMemory<byte> segment in message)
        {
            output.Write(segment.Span);
        }
    }

    private ulong LengthFor(long bytes)
    {
        long length = bytes - Adjustment;
        if (length < 0 || (ulong)length > LengthCode.MaxOf(_field))
        {
            throw new ArgumentException($"A length of {length} can't be written as {_field}.");
        }

        return (ulong)length;
    }

    private void WriteLength(ulong length, IBufferWriter<byte> output) =>
        output.Advance(LengthCode.Write(_field, output.GetSpan(LengthCode.MaxSize), length));
}
