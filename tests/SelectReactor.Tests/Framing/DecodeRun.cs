using System.Buffers;
using System.Text;

namespace SelectReactor.Tests.Framing;

/// <summary>
/// Decodes a stream whose bytes arrive in pieces and lie in segments, as a connection's reader does, and keeps copies
/// of the messages. It checks what each decoder promises: that it takes no more than there is, and that a message is
/// never there before the number of bytes that it asked for.
/// </summary>
internal sealed record DecodeRun(IReadOnlyList<string> Messages, DecodeStatus Status, string Reason, int Consumed)
{
    /// <param name="decoder">The decoder.</param>
    /// <param name="stream">All bytes.</param>
    /// <param name="pieces">How many bytes arrive at a time, over and over.</param>
    /// <param name="segments">How long the segments are, over and over.</param>
    public static DecodeRun Of<T>(MessageDecoder<T> decoder, byte[] stream, int[] pieces, int[] segments)
    {
        var messages = new List<string>();
        int consumed = 0;
        int arrived = 0;
        int examined = 0;
        long needed = 0;
        for (int turn = 0; ; turn++)
        {
            while (arrived > consumed)
            {
                ReadOnlySequence<byte> input = Sequences.Of(stream.AsMemory(consumed, arrived - consumed), segments);
                DecodeResult<T> result = decoder.Decode(input, examined);
                if (result.Status == DecodeStatus.NeedMore)
                {
                    Require(result.Needed == 0 || result.Needed > input.Length, "it asks for what is there");
                    examined = (int)input.Length;
                    needed = result.Needed;
                    break;
                }

                if (result.Status != DecodeStatus.Message)
                {
                    return new DecodeRun(messages, result.Status, result.Reason, consumed);
                }

                Require(result.Consumed > 0 && result.Consumed <= input.Length, $"it takes {result.Consumed} bytes");
                Require(input.Length >= needed, "a message of fewer bytes than it needed");
                messages.Add(Text(result.Message));
                consumed += (int)result.Consumed;
                examined = 0;
                needed = 0;
            }

            if (arrived == stream.Length)
            {
                return End(decoder, stream, segments, messages, consumed);
            }

            arrived += Math.Min(stream.Length - arrived, pieces[turn % pieces.Length]);
        }
    }

    /// <summary>All at once, in one segment.</summary>
    public static DecodeRun Of<T>(MessageDecoder<T> decoder, ReadOnlySpan<byte> stream) =>
        Of(decoder, stream.ToArray(), [int.MaxValue], [int.MaxValue]);

    public bool Equals(DecodeRun? other) => other is not null
        && Messages.SequenceEqual(other.Messages)
        && (Status, Reason, Consumed) == (other.Status, other.Reason, other.Consumed);

    public override int GetHashCode() => Consumed;

    public override string ToString() =>
        $"[{string.Join(", ", Messages.Select(static message => $"\"{message}\""))}], {Status} {Reason} at {Consumed}";

    private static DecodeRun End<T>(
        MessageDecoder<T> decoder, byte[] stream, int[] segments, List<string> messages, int consumed)
    {
        if (consumed == stream.Length)
        {
            return new DecodeRun(messages, DecodeStatus.NeedMore, "", consumed);
        }

        DecodeResult<T> last = decoder.DecodeEnd(Sequences.Of(stream.AsMemory(consumed), segments));
        if (last.Status == DecodeStatus.Message)
        {
            messages.Add(Text(last.Message));
            return new DecodeRun(messages, DecodeStatus.NeedMore, "", consumed + (int)last.Consumed);
        }

        return new DecodeRun(messages, last.Status, last.Reason, consumed);
    }

    private static string Text<T>(T message) =>
        message is ReadOnlySequence<byte> bytes ? Encoding.Latin1.GetString(bytes) : $"{message}";

    private static void Require(bool condition, string what) => Fuzzing.Fuzz.Require(condition, what);
}
