using System.Buffers;

namespace SelectReactor.Framing;

/// <summary>A decoder that gives what another one finds to a function.</summary>
internal sealed class ParsingDecoder<TFrame, T>(
    MessageDecoder<TFrame> frames, Func<TFrame, T> parse) : MessageDecoder<T>
{
    public override DecodeResult<T> Decode(in ReadOnlySequence<byte> input, long examined) =>
        Parse(frames.Decode(input, examined));

    public override DecodeResult<T> DecodeEnd(in ReadOnlySequence<byte> input) => Parse(frames.DecodeEnd(input));

    private DecodeResult<T> Parse(in DecodeResult<TFrame> frame)
    {
        if (frame.Status != DecodeStatus.Message)
        {
            return frame.WithoutMessage();
        }

        try
        {
            return DecodeResult.Message(parse(frame.Message), frame.Consumed);
        }
        catch (InvalidDataException error)
        {
            return DecodeResult.Malformed(error.Message);
        }
    }
}
