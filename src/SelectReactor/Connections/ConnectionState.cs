namespace SelectReactor;

/// <summary>Where a <see cref="Connection"/> is in its life. It only ever goes forward.</summary>
public enum ConnectionState
{
    /// <summary>Made, and not yet given to its handler.</summary>
    Opening,

    /// <summary>Given to its handler, in one or both directions.</summary>
    Open,

    /// <summary>Closing: what was written is still sent, and nothing more is received.</summary>
    Closing,

    /// <summary>Gone.</summary>
    Closed,
}
