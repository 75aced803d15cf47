namespace SelectReactor;

/// <summary>How far a <see cref="Connection"/> is in its life. It only ever goes forward.</summary>
public enum ConnectionState
{
    /// <summary>Made, and not yet given to its handler.</summary>
    Opening,

    /// <summary>Given to its handler, in one or both directions.</summary>
    Open,

    /// <summary>Closing: the rest of the output is still sent, and input is discarded.</summary>
    Closing,

    /// <summary>Gone.</summary>
    Closed,
}
