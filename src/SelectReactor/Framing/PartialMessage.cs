namespace SelectReactor.Framing;

/// <summary>What a handler keeps for a connection between two parts of a message.</summary>
/// <param name="decoder">Whose progress it is.</param>
internal sealed class PartialMessage(object decoder)
{
    public object Decoder { get; } = decoder;

    public DecodeProgress Progress { get; set; }
}
