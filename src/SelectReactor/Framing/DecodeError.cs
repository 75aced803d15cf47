namespace SelectReactor.Framing;

/// <summary>How a connection ends whose input can't be decoded.</summary>
internal static class DecodeError
{
    /// <summary>The kind and the error for a result that is neither a message nor, before the end of the stream, a
    /// part of one.</summary>
    public static (CloseKind Kind, Exception Error) Of<T>(in DecodeResult<T> result, long rest) => result.Status switch
    {
        DecodeStatus.Malformed => (CloseKind.ProtocolError, new InvalidDataException(result.Reason)),
        DecodeStatus.TooLong => (CloseKind.LimitExceeded, new InvalidDataException(result.Reason)),
        _ => (CloseKind.ProtocolError, new EndOfStreamException(
            $"The peer has ended its stream inside a message, of which {rest} bytes have arrived.")),
    };
}
