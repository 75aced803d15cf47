using System.Buffers;
using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>
/// Finds the next message at the start of the received bytes. Those of the library keep no state, so that one object
/// serves any number of connections on any threads. Derive from it for a protocol of your own, and return one of the
/// results of <see cref="DecodeResult"/>.
/// </summary>
/// <typeparam name="T">The type of the messages. A message may refer to the input without a copy, as a
/// <see cref="ReadOnlySequence{T}"/> does. It is then valid for as long as the input.</typeparam>
public abstract class MessageDecoder<T>
{
    /// <summary>Looks for one message at the start of the input. It must not change the input nor keep it, and should
    /// check limits before it takes memory.</summary>
    /// <param name="input">All bytes from the start of the message on that have been received; at least one.</param>
    /// <param name="examined">How many of them the decoder has seen before: the length of the input in its last call
    /// for this message, which said <see cref="DecodeStatus.NeedMore"/>. 0 in the first call for a message. A decoder
    /// that searches for an end goes on from here, so that a message that arrives byte by byte is searched
    /// once.</param>
    public abstract DecodeResult<T> Decode(in ReadOnlySequence<byte> input, long examined);

    /// <summary>The peer has ended its stream, and <see cref="Decode"/> said <see cref="DecodeStatus.NeedMore"/> for
    /// this rest. The default says so again: a message is truncated, and the connection closes with
    /// <see cref="CloseKind.ProtocolError"/>. Override it if the end of the stream also ends a message.</summary>
    /// <param name="input">The last bytes; at least one.</param>
    public virtual DecodeResult<T> DecodeEnd(in ReadOnlySequence<byte> input) => DecodeResult.NeedMore();

    /// <summary>A decoder of the same messages in another form: <paramref name="parse"/> is called with
    /// each.</summary>
    /// <typeparam name="TResult">What is made of a message.</typeparam>
    /// <param name="parse">Makes the new message. If it throws an <see cref="InvalidDataException"/>, the message is
    /// malformed, with the exception's text as the reason. Other exceptions are faults of the handler.</param>
    /// <exception cref="ArgumentNullException"><paramref name="parse"/> is null.</exception>
    public MessageDecoder<TResult> Select<TResult>(Func<T, TResult> parse)
    {
        ArgumentNullException.ThrowIfNull(parse);
        return new ParsingDecoder<T, TResult>(this, parse);
    }
}
