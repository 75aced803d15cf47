namespace SelectReactor;

/// <summary>What a decoder returns when it has no message. It converts to a <see cref="DecodeResult{T}"/> of any type.
/// The default value is <see cref="DecodeStatus.NeedMore"/>.</summary>
public readonly struct DecodeResult
{
    private DecodeResult(DecodeStatus status, long needed, string? reason)
    {
        Status = status;
        Needed = needed;
        Reason = reason;
    }

    internal DecodeStatus Status { get; }

    internal long Needed { get; }

    internal string? Reason { get; }

    /// <summary>A message was found.</summary>
    /// <param name="message">The message. It may refer to the input.</param>
    /// <param name="consumed">How many bytes of the input belong to it, with everything around it, such as a prefix or
    /// a delimiter.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="consumed"/> is negative.</exception>
    public static DecodeResult<T> Message<T>(T message, long consumed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(consumed);
        return new DecodeResult<T>(message, consumed);
    }

    /// <summary>The message is not complete, and its length is not known yet.</summary>
    public static DecodeResult NeedMore() => default;

    /// <summary>The message is not complete.</summary>
    /// <param name="length">How many bytes the input must have before it makes sense to call again, counted from its
    /// start. A reader does not call before. A value that the input has already reached counts as unknown.</param>
    public static DecodeResult NeedMore(long length) => new(DecodeStatus.NeedMore, length, reason: null);

    /// <summary>The input breaks the protocol.</summary>
    /// <param name="reason">A sentence for the log, and perhaps for the peer.</param>
    public static DecodeResult Malformed(string reason) => new(DecodeStatus.Malformed, needed: 0, reason);

    /// <summary>The message is longer than a limit.</summary>
    /// <param name="reason">A sentence for the log, and perhaps for the peer: it should name the limit.</param>
    public static DecodeResult TooLong(string reason) => new(DecodeStatus.TooLong, needed: 0, reason);
}

/// <summary>What a decoder found at the start of its input, made by <see cref="DecodeResult"/>. The default value is
/// <see cref="DecodeStatus.NeedMore"/>.</summary>
/// <typeparam name="T">The type of the messages.</typeparam>
public readonly struct DecodeResult<T>
{
    private readonly T _message;
    private readonly string? _reason;
    private readonly long _bytes;

    internal DecodeResult(T message, long consumed)
    {
        Status = DecodeStatus.Message;
        _message = message;
        _bytes = consumed;
    }

    private DecodeResult(DecodeResult result)
    {
        Status = result.Status;
        _message = default!;
        _bytes = result.Needed;
        _reason = result.Reason;
    }

    /// <summary>Which of the results it is.</summary>
    public DecodeStatus Status { get; }

    /// <summary>The message.</summary>
    /// <exception cref="InvalidOperationException">There is none: look at <see cref="Status"/> first.</exception>
    public T Message => Status == DecodeStatus.Message ? _message : throw NoMessage();

    /// <summary>How many bytes of the input belong to the message, with everything around it; 0 if there is no
    /// message.</summary>
    public long Consumed => Status == DecodeStatus.Message ? _bytes : 0;

    /// <summary>How many bytes the input must have before it makes sense to call again; 0 if that is not known, or if
    /// <see cref="Status"/> is not <see cref="DecodeStatus.NeedMore"/>.</summary>
    public long Needed => Status == DecodeStatus.NeedMore ? _bytes : 0;

    /// <summary>What is wrong with the input. Empty unless <see cref="Status"/> is
    /// <see cref="DecodeStatus.Malformed"/> or <see cref="DecodeStatus.TooLong"/>.</summary>
    public string Reason => _reason ?? "";

    /// <summary>A result without a message, for a decoder that returns what another one found.</summary>
    public static implicit operator DecodeResult<T>(DecodeResult result) => new(result);

    /// <summary>The same result for a decoder of other messages, if there is no message.</summary>
    /// <exception cref="InvalidOperationException">There is a message.</exception>
    public DecodeResult WithoutMessage() => Status switch
    {
        DecodeStatus.NeedMore => DecodeResult.NeedMore(_bytes),
        DecodeStatus.Malformed => DecodeResult.Malformed(Reason),
        DecodeStatus.TooLong => DecodeResult.TooLong(Reason),
        _ => throw new InvalidOperationException("There is a message, which would be lost."),
    };

    // Apart, so that the getter is small enough to be inlined.
    private InvalidOperationException NoMessage() => new($"There is no message: the result is {Status}.");
}
