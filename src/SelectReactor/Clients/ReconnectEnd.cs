namespace SelectReactor;

/// <summary>Why a <see cref="ReconnectingClient"/> has ended for good.</summary>
public enum ReconnectEndKind
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary><see cref="ReconnectingClient.StopAsync"/> was called.</summary>
    Stopped,

    /// <summary>It gave up, as <see cref="ReconnectOptions"/> says.</summary>
    GaveUp,

    /// <summary>The reactor was shut down or disposed.</summary>
    ReactorStopped,
}

/// <summary>How a <see cref="ReconnectingClient"/> has ended.</summary>
public readonly record struct ReconnectEnd
{
    /// <summary>Why.</summary>
    public ReconnectEndKind Kind { get; init; }

    /// <summary>The failure of the last attempt, or the error of the last connection. Null if there was
    /// none.</summary>
    public Exception? Error { get; init; }
}
