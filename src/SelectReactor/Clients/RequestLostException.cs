namespace SelectReactor;

/// <summary>The connection ended after a request was sent and before its response arrived: nobody knows whether the
/// server has carried it out. Repeat it only if that does no harm.</summary>
public sealed class RequestLostException : IOException
{
    /// <summary>An exception with a standard message.</summary>
    public RequestLostException()
        : this("The connection ended before the response arrived.")
    {
    }

    /// <summary>An exception with a message.</summary>
    public RequestLostException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with a message and its cause.</summary>
    public RequestLostException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    internal RequestLostException(CloseReason reason)
        : this($"The connection ended ({reason.Kind}) before the response arrived.", reason.Error) =>
        Reason = reason;

    /// <summary>Why the connection ended.</summary>
    public CloseReason Reason { get; }
}
