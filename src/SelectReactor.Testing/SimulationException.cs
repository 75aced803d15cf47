namespace SelectReactor.Testing;

/// <summary>A run on a <see cref="SimulatedNetwork"/> failed: its message names the seed to replay it with.</summary>
public sealed class SimulationException : Exception
{
    /// <summary>A failure without a message.</summary>
    public SimulationException()
    {
    }

    /// <summary>A failure.</summary>
    public SimulationException(string message)
        : base(message)
    {
    }

    /// <summary>A failure with its cause.</summary>
    public SimulationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
