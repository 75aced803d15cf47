using System.Buffers;

namespace SelectReactor.Framing;

/// <summary>An encoder whose function writes the bytes of a message, and another encoder the frame around
/// them.</summary>
internal sealed class BodyEncoder<T>(FrameEncoder frames, Action<T, IBufferWriter<byte>> write) : MessageEncoder<T>
    where T : allows ref struct
{
    public override void Encode(T message, IBufferWriter<byte> output)
    {
        ArrayBufferWriter<byte> body = BodyBuffer.Take();
        try
        {
            write(message, body);
            frames.Encode(body.WrittenSpan, output);
        }
        finally
        {
            BodyBuffer.Return(body);
        }
    }
}

/// <summary>A buffer for each thread, used again for each message.</summary>
internal static class BodyBuffer
{
    /// <summary>A buffer that has grown above this is left to the collector.</summary>
    private const int MaxKeptBytes = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _idle;

    // The function that writes a message may use another such encoder meanwhile.
    public static ArrayBufferWriter<byte> Take()
    {
        ArrayBufferWriter<byte> buffer = _idle ?? new ArrayBufferWriter<byte>();
        _idle = null;
        return buffer;
    }

    public static void Return(ArrayBufferWriter<byte> buffer)
    {
        if (buffer.Capacity <= MaxKeptBytes)
        {
            buffer.ResetWrittenCount();
            _idle = buffer;
        }
    }
}
