namespace SelectReactor.Buffers;

/// <summary>What the two buffers of a connection need of it.</summary>
internal interface IBufferOwner
{
    /// <summary>Throws unless the current thread is the reactor's.</summary>
    void VerifyAccess();

    /// <summary>Runs a callback on the reactor's thread in a later phase. Any thread.</summary>
    void Defer(Action<object?> callback, object? state);

    /// <summary>The reader has advanced: fewer bytes may wait than before.</summary>
    void InputAdvanced();

    /// <summary>The reader wants no more.</summary>
    void InputCompleted(Exception? error);

    /// <summary>The writer has advanced: there is something to send.</summary>
    void OutputAdvanced();

    /// <summary>The writer has written all that it will.</summary>
    void OutputCompleted(Exception? error);
}
