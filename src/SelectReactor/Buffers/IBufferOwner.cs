namespace SelectReactor.Buffers;

/// <summary>The services that the two buffers of a connection need from it.</summary>
internal interface IBufferOwner
{
    /// <summary>Whether the current thread may use the connection. Any thread.</summary>
    bool HasAccess { get; }

    /// <summary>The context that is current in the reactor's callbacks. Any thread.</summary>
    SynchronizationContext Context { get; }

    /// <summary>Throws unless the current thread is the reactor's.</summary>
    void VerifyAccess();

    /// <summary>The number of the current tick.</summary>
    long Tick { get; }

    /// <summary>Runs a callback on the reactor's thread in a later phase. Any thread.</summary>
    /// <returns>False if the reactor has ended.</returns>
    bool Defer(Action<object?> callback, object? state);

    /// <summary>Runs the continuation of an await now, with the reactor's context current or with none. Only for the
    /// loop.</summary>
    void Invoke(Action<object?> continuation, object? state, bool withContext);

    /// <summary>A waiting read may go on: call <see cref="InputBuffer.CompletePendingRead"/> in a later
    /// phase.</summary>
    void InputResultReady();

    /// <summary>A waiting flush may go on: call <see cref="OutputBuffer.CompletePendingFlush"/> in a later
    /// phase.</summary>
    void OutputResultReady();

    /// <summary>A flush that ends at once should wait for a moment: as above, but a little later.</summary>
    void DelayOutputResult();

    /// <summary>The reader has advanced and consumed this many bytes, maybe none.</summary>
    void InputAdvanced(long consumed);

    /// <summary>The reader wants no more.</summary>
    void InputCompleted(Exception? error);

    /// <summary>The exception for a read on a connection that was cut or that this side closed.</summary>
    IOException CreateReadError();

    /// <summary>The writer has advanced: there is something to send.</summary>
    void OutputAdvanced();

    /// <summary>The writer has written all that it will.</summary>
    void OutputCompleted(Exception? error);
}
