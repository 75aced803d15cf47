using System.Buffers;

namespace SelectReactor.Framing;

/// <summary>How far the decoder of one connection is with the message at the start of its input.</summary>
internal struct DecodeProgress
{
    private long _examined;
    private long _needed;

    /// <summary>Whether a part of a message was seen.</summary>
    public readonly bool HasBegun => _examined > 0;

    /// <summary>Looks for the next message; not before enough bytes are there, if the decoder has said how many it
    /// needs.</summary>
    /// <param name="connection">The connection, whose <see cref="ConnectionOptions.MaxInputBytes"/> bounds a message,
    /// too.</param>
    /// <param name="decoder">The decoder, always the same one.</param>
    /// <param name="input">The input from the end of the last message on.</param>
    /// <param name="isEnd">Whether no more will come.</param>
    public DecodeResult<T> Decode<T>(
        Connection connection, MessageDecoder<T> decoder, in ReadOnlySequence<byte> input, bool isEnd)
    {
        long length = input.Length;
        if (length == 0)
        {
            return default;
        }

        DecodeResult<T> result = length < _needed ? DecodeResult.NeedMore(_needed) : decoder.Decode(input, _examined);
        if (isEnd && result.Status == DecodeStatus.NeedMore)
        {
            result = decoder.DecodeEnd(input);
        }

        switch (result.Status)
        {
            case DecodeStatus.Message:
                VerifyConsumed(result.Consumed, length, decoder);
                _examined = 0;
                _needed = 0;
                return result;
            case DecodeStatus.NeedMore when !isEnd:
                _examined = length;
                _needed = Math.Max(result.Needed, length + 1);
                return Exceeds(connection.InputLimit) ? TooLong(connection.InputLimit, result.Needed) : result;
            default:
                return result;
        }
    }

    // The connection would be cut when the limit is reached, without a word and after the memory is taken.
    private readonly bool Exceeds(int inputLimit) => inputLimit > 0 && _needed > inputLimit;

    private static DecodeResult TooLong(int inputLimit, long needed) => DecodeResult.TooLong(
        $"{(needed > inputLimit ? $"A message of {needed} bytes" : "A message")} is longer than "
            + $"{nameof(ConnectionOptions)}.{nameof(ConnectionOptions.MaxInputBytes)}, {inputLimit} bytes.");

    private static void VerifyConsumed(long consumed, long length, object decoder)
    {
        if (consumed <= 0 || consumed > length)
        {
            throw new InvalidOperationException(
                $"{decoder} says that a message takes {consumed} of {length} bytes: it must take at least one byte, "
                    + "and no more than there are.");
        }
    }
}
