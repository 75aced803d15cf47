namespace SelectReactor.Diagnostics;

/// <summary>What a reactor shows of itself at any moment. Any thread; the numbers may be a moment old.</summary>
internal interface ILoopGauges
{
    /// <summary>For how long the tick under way has kept the loop from its next wait. Zero while it waits.</summary>
    TimeSpan Lag { get; }

    /// <summary>The number of posted callbacks that have not run.</summary>
    int MailboxDepth { get; }

    /// <summary>The number of timers that wait.</summary>
    int TimerCount { get; }

    /// <summary>The bytes of the buffers that are in use.</summary>
    long BytesInUse { get; }

    /// <summary>The bytes of the buffers that are kept for later use.</summary>
    long BytesIdle { get; }

    /// <summary>Logs that a listener to the metrics or the spans has thrown.</summary>
    void Report(Exception exception);
}
