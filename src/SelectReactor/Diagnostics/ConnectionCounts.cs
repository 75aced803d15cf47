namespace SelectReactor.Diagnostics;

/// <summary>
/// The numbers of the connections of one reactor that have their tags in common. The reactor's thread adds to them
/// whether or not somebody listens: an addition costs less than to ask. Any thread reads them, a moment late.
/// </summary>
/// <param name="tags">What the connections have in common.</param>
/// <param name="instruments">Where single events are recorded. Null for totals.</param>
internal sealed class ConnectionCounts(EndpointTags tags, Instruments? instruments)
{
    private readonly long[] _closed = new long[CloseReasons.All.Count];
    private readonly long[] _pauses = new long[PauseReasons.All.Count];
    private readonly long[] _pausedTicks = new long[PauseReasons.All.Count];
    private readonly long[] _pausedListeners = new long[AcceptPauseReasons.All.Count];
    private long _opened;
    private long _active;
    private long _pausedNow;
    private long _bytesReceived;
    private long _bytesSent;

    /// <summary>For connections that nobody counts, in tests.</summary>
    public static ConnectionCounts Unused { get; } =
        new(new EndpointTags(ConnectionRole.Adopted, EndpointTags.Tcp), Instruments.Of(null));

    public EndpointTags Tags => tags;

    public Instruments Instruments => instruments ?? throw new InvalidOperationException("Totals have no meter.");

    public long Opened => Volatile.Read(ref _opened);

    public long Active => Volatile.Read(ref _active);

    public long PausedNow => Volatile.Read(ref _pausedNow);

    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    public long BytesSent => Volatile.Read(ref _bytesSent);

    public long Closed(int reason) => Volatile.Read(ref _closed[reason]);

    public long Pauses(int reason) => Volatile.Read(ref _pauses[reason]);

    public TimeSpan PausedTime(int reason) => TimeSpan.FromTicks(Volatile.Read(ref _pausedTicks[reason]));

    /// <summary>The sockets that do not accept at the moment.</summary>
    /// <param name="reason">The place in <see cref="AcceptPauseReasons"/>.</param>
    public long PausedListeners(int reason) => Volatile.Read(ref _pausedListeners[reason]);

    public void AddPausedListeners(int reason, int change) => _pausedListeners[reason] += change;

    public void AddReceived(long bytes) => _bytesReceived += bytes;

    public void AddSent(long bytes) => _bytesSent += bytes;

    /// <summary>A handler was given the connection.</summary>
    public void NoteOpened()
    {
        _opened++;
        _active++;
    }

    /// <summary>A connection that was noted as opened has ended.</summary>
    /// <param name="reason">The place in <see cref="CloseReasons"/>.</param>
    /// <param name="lifetime">For how long it was open.</param>
    public void NoteClosed(int reason, TimeSpan lifetime)
    {
        _active--;
        _closed[reason]++;
        Instruments.RecordLifetime(tags, reason, lifetime);
    }

    public void NotePause() => _pausedNow++;

    /// <summary>A pause that was noted is over.</summary>
    /// <param name="reason">The place in <see cref="PauseReasons"/> of what began it.</param>
    /// <param name="time">How long it took.</param>
    public void NotePauseEnd(int reason, TimeSpan time)
    {
        _pausedNow--;
        _pauses[reason]++;
        _pausedTicks[reason] += time.Ticks;
    }

    /// <summary>Adds the totals of another one. Its reactor has ended, possibly by being collected, and has no open
    /// connection any more.</summary>
    public void Add(ConnectionCounts other)
    {
        _opened += other.Opened;
        _bytesReceived += other.BytesReceived;
        _bytesSent += other.BytesSent;
        for (int i = 0; i < _closed.Length; i++)
        {
            _closed[i] += other.Closed(i);
        }

        for (int i = 0; i < _pauses.Length; i++)
        {
            _pauses[i] += other.Pauses(i);
            _pausedTicks[i] += other.PausedTime(i).Ticks;
        }
    }
}
