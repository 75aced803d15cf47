namespace SelectReactor;

/// <summary>
/// The options of the transport that <c>UseSelectReactor</c> adds to Kestrel. They are read when the server first
/// binds an address or makes a connection. A setter throws an <see cref="ArgumentException"/> that names the option if
/// a value is not allowed. The limits of <c>KestrelServerOptions</c> apply beside them.
/// </summary>
public sealed class SelectReactorTransportOptions
{
    /// <summary>Receiving pauses when the application has not consumed this many bytes of a connection, and resumes
    /// below half of it. One more receive, of up to 131,072 bytes, may bring more than that. Null or zero: it never
    /// pauses. Default: 1,048,576.</summary>
    public long? MaxReadBufferSize
    {
        get;
        set => field = NotNegative(value, nameof(MaxReadBufferSize));
    } = 1024 * 1024;

    /// <summary>A flush of the application waits when this many bytes of a connection wait to be sent, and goes on
    /// below half of it. Up to as many bytes again, and not more than 65,536, are with the reactor. Null or zero: it
    /// never waits. Default: 65,536.</summary>
    public long? MaxWriteBufferSize
    {
        get;
        set => field = NotNegative(value, nameof(MaxWriteBufferSize));
    } = 64 * 1024;

    /// <summary>The number of clients that may wait to be accepted, for each listener (listen(2)). The system uses the
    /// smaller of this and its own limit. Accepting pauses when as many connections are accepted and wait for Kestrel,
    /// and resumes at half of it. Default: 512.</summary>
    public int Backlog
    {
        get;
        set => field = AtLeastOne(value, nameof(Backlog));
    } = 512;

    /// <summary>Whether small writes leave at once and do not wait for more (TCP_NODELAY, tcp(7)). Default:
    /// true.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>The number of reactors, each with a thread of its own. All listeners share them. Default (null): one
    /// for each processor that the process may use.</summary>
    public int? ReactorCount
    {
        get;
        set => field = value is { } count ? AtLeastOne(count, nameof(ReactorCount)) : null;
    }

    /// <summary>Where the code runs that reads requests and writes responses. Default:
    /// <see cref="TransportScheduling.ThreadPool"/>.</summary>
    public TransportScheduling Scheduling
    {
        get;
        set => field = Enum.IsDefined(value)
            ? value
            : throw OutOfRange(nameof(Scheduling), "ThreadPool or Inline", value);
    }

    /// <summary>The options of the reactors: how they share clients, the limit on connections, the selector. Not null.
    /// Default: as <see cref="ReactorGroupOptions"/> says, with epoll on Linux. If the logger is left alone, it is the
    /// host's, with the category <c>SelectReactor</c>.</summary>
    public ReactorGroupOptions Group
    {
        get;
        set => field = value
            ?? throw new ArgumentNullException(
                nameof(Group), $"{nameof(SelectReactorTransportOptions)}.{nameof(Group)} must not be null.");
    } = OperatingSystem.IsLinux() ? new ReactorGroupOptions().UseEpoll() : new ReactorGroupOptions();

    private static long? NotNegative(long? value, string option) => value is not < 0
        ? value
        : throw OutOfRange(option, "zero or more", value);

    private static int AtLeastOne(int value, string option) => value >= 1
        ? value
        : throw OutOfRange(option, "at least 1", value);

    private static ArgumentOutOfRangeException OutOfRange(string option, string allowed, object value) =>
        new(option, $"{nameof(SelectReactorTransportOptions)}.{option} must be {allowed}, not {value}.");
}
