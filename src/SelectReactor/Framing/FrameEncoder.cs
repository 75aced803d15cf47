using System.Buffers;
using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>Writes bytes as frames, from which a decoder gets the same bytes. Derive from it for a frame of your
/// own.</summary>
public abstract class FrameEncoder : MessageEncoder<ReadOnlySpan<byte>>
{
    /// <summary>Writes the frame of bytes that may lie in several segments, such as those of a received
    /// frame.</summary>
    /// <inheritdoc cref="MessageEncoder{T}.Encode"/>
    public abstract void Encode(in ReadOnlySequence<byte> message, IBufferWriter<byte> output);

    /// <summary>An encoder of other messages, whose bytes become the frame. They are written to a buffer first, since
    /// their number is not known before.</summary>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <param name="write">Writes the bytes of one message.</param>
    /// <exception cref="ArgumentNullException"><paramref name="write"/> is null.</exception>
    public MessageEncoder<T> WithBody<T>(Action<T, IBufferWriter<byte>> write)
        where T : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(write);
        return new BodyEncoder<T>(this, write);
    }
}
