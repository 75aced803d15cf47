namespace SelectReactor;

/// <summary>What a decoder found at the start of its input.</summary>
public enum DecodeStatus : byte
{
    /// <summary>The input is the beginning of a message: call again when there is more.</summary>
    NeedMore,

    /// <summary>A whole message.</summary>
    Message,

    /// <summary>The input breaks the protocol. No message can be found after it.</summary>
    Malformed,

    /// <summary>The message is longer than a limit. No message can be found after it.</summary>
    TooLong,
}
