using System.Buffers;

namespace SelectReactor;

/// <summary>
/// Writes messages as bytes. Those of the library keep no state, so that one object serves any number of connections
/// on any threads.
/// </summary>
/// <typeparam name="T">The type of the messages; also a span.</typeparam>
public abstract class MessageEncoder<T>
    where T : allows ref struct
{
    /// <summary>Writes one message. If it throws, it should have written nothing.</summary>
    /// <param name="message">The message.</param>
    /// <param name="output">Where to, such as <see cref="Connection.Output"/>.</param>
    /// <exception cref="ArgumentException">The message can't be written in this form, for example because it is too
    /// long. Nothing was written.</exception>
    public abstract void Encode(T message, IBufferWriter<byte> output);
}
