using SelectReactor.Timing;

namespace SelectReactor.Connections;

/// <summary>
/// How long a peer may keep a connection waiting. Events leave time stamps and touch no timer; when the connection's
/// one timer fires, <see cref="Examine"/> compares the stamps with the limits. A peer that takes bytes is never late,
/// since it may have to read a long answer before it can send again. The options and the clock are not stored: they
/// would be the same ones in most connections.
/// </summary>
internal struct Deadlines
{
    /// <summary>A peer must take so many bytes in each <see cref="ConnectionOptions.WriteProgressTimeout"/>.</summary>
    public const int MinProgress = 4 * 1024;

    /// <summary>Stands in for a linger time-out of zero where input that the handler has not read is at
    /// stake.</summary>
    private static readonly TimeSpan _defaultGrace = TimeSpan.FromSeconds(5);

    private long _receivedAt;
    private long _messageAt;
    private long _sentAt;

    /// <summary>Null until output waits, a timer fires, or the end is awaited.</summary>
    private PeerProgress? _progress;

    /// <summary>When the connection opened, or bytes came in last.</summary>
    public readonly long ReceivedAt => _receivedAt;

    /// <summary>When the connection opened, or the system took bytes last.</summary>
    public readonly long SentAt => _sentAt;

    private readonly long EndAt => _progress?.EndAt ?? 0;

    private readonly long TakenAt => _progress?.TakenAt ?? 0;

    /// <summary>How long input may stay unread when both directions have ended and nobody reads on.</summary>
    public static TimeSpan Grace(ConnectionOptions options) =>
        options.LingerTimeout == TimeSpan.Zero ? _defaultGrace : options.LingerTimeout;

    /// <summary>The connection opened.</summary>
    public void Open(long now) => _receivedAt = _messageAt = _sentAt = now;

    /// <summary>Bytes came in.</summary>
    public void Receive(long now, bool beginsMessage)
    {
        _receivedAt = now;
        _messageAt = beginsMessage ? now : _messageAt;
    }

    /// <summary>The handler consumed something: the rest is the beginning of another message.</summary>
    public void Consume(long now) => _messageAt = now;

    /// <summary>Reading goes on after a pause, in which the peer could not be heard.</summary>
    public void Resume(long now) => _receivedAt = _messageAt = now;

    /// <summary>The system took bytes.</summary>
    public void Send(long now) => _sentAt = now;

    /// <summary>Whether the system has not taken everything since <see cref="Block"/>.</summary>
    public readonly bool IsBlocked => _progress is { IsBlocked: true };

    /// <summary>The system takes no more for now: the first period in which the peer must make progress
    /// begins.</summary>
    public void Block(long now) => (_progress ??= new PeerProgress()).Block(now);

    /// <summary>The system has taken everything.</summary>
    public readonly void Unblock() => _progress?.Unblock();

    /// <summary>Only the end is awaited from now on.</summary>
    public void BeginEnd(long now) => (_progress ??= new PeerProgress()).EndAt = now;

    /// <summary>Whether <see cref="BeginEnd"/> was called.</summary>
    public readonly bool IsEnding => _progress?.EndAt is not null;

    /// <summary>How long the end has been awaited.</summary>
    public readonly TimeSpan EndingFor(long now, MonotonicClock clock) => clock.Until(now, EndAt);

    /// <summary>The peer's system has taken <paramref name="taken"/> bytes in all; <paramref name="isOnItsWay"/> says
    /// whether there is more that it has not taken.</summary>
    public void Progress(long taken, bool isOnItsWay, long now)
    {
        if (taken > 0 || isOnItsWay)
        {
            (_progress ??= new PeerProgress()).Note(taken, isOnItsWay, now);
        }
    }

    /// <summary>The deadline that comes first, passed or not.</summary>
    public readonly Deadline Examine(in PeerStatus peer, ConnectionOptions options, MonotonicClock clock)
    {
        var search = new Search(clock);
        if (IsBlocked)
        {
            search.Consider(
                options.WriteProgressTimeout,
                _progress!.WindowAt,
                "the peer took less than 4,096 bytes of the waiting output");
        }

        if (peer.IsClosing)
        {
            // A send counts where nobody tells what the peer has taken.
            if (options.LingerTimeout > TimeSpan.Zero)
            {
                long since = Math.Max(Math.Max(EndAt, _sentAt), TakenAt);
                search.Consider(options.LingerTimeout, since, "the peer took nothing and did not end its stream");
            }

            search.Consider(options.MaxLingerTime, EndAt, "the peer did not take all output after the close");
            return search.First;
        }

        if (peer.IsHeard)
        {
            if (!peer.HasSpoken)
            {
                search.Consider(
                    options.FirstByteTimeout,
                    After(_receivedAt),
                    "nothing was received since the connection opened");
            }

            if (peer.HasUnfinishedMessage)
            {
                search.Consider(options.MessageTimeout, After(_messageAt), "the rest of a message did not come");
            }

            search.Consider(options.ReadIdleTimeout, After(_receivedAt), "nothing was received");
        }

        if (!peer.IsReadPaused)
        {
            search.Consider(
                options.IdleTimeout, After(Math.Max(_receivedAt, _sentAt)), "nothing was received or sent");
        }

        if (peer.HasUnreadEnd)
        {
            // A reader that has not looked at everything, or holds a result, will come back.
            TimeSpan grace = peer.MayReadOn ? options.MaxLingerTime : Grace(options);
            search.Consider(
                grace, Math.Max(EndAt, _messageAt), "both directions have ended and input is left unread");
        }

        return search.First;
    }

    private readonly long After(long stamp) => Math.Max(stamp, TakenAt);

    private ref struct Search(MonotonicClock clock)
    {
        public Deadline First { get; private set; } = Deadline.None;

        public void Consider(TimeSpan limit, long since, string what)
        {
            if (limit != Timeout.InfiniteTimeSpan && clock.After(since, limit) is var at && at < First.At)
            {
                First = new Deadline(at, limit, what);
            }
        }
    }
}

/// <summary>A moment by which a peer should have done something.</summary>
/// <param name="At">In the units of the reactor's clock.</param>
/// <param name="Limit">The option behind it.</param>
/// <param name="What">What has happened if it passes.</param>
internal readonly record struct Deadline(long At, TimeSpan Limit, string What)
{
    public static Deadline None { get; } = new(long.MaxValue, TimeSpan.Zero, "");

    public TimeoutException ToException() => new($"In {Limit} {What}.");
}

/// <summary>The facts about a connection on which its deadlines depend.</summary>
internal readonly struct PeerStatus
{
    /// <summary>Whether only the end is awaited: this side has closed.</summary>
    public bool IsClosing { get; init; }

    /// <summary>Whether this side does not receive: the peer can't be blamed for its silence then.</summary>
    public bool IsReadPaused { get; init; }

    /// <summary>Whether the peer can still send and is received from.</summary>
    public bool IsHeard { get; init; }

    /// <summary>Whether anything was received yet.</summary>
    public bool HasSpoken { get; init; }

    /// <summary>Whether the handler has left input unconsumed.</summary>
    public bool HasUnfinishedMessage { get; init; }

    /// <summary>Whether both directions have ended and the handler has not consumed all input.</summary>
    public bool HasUnreadEnd { get; init; }

    /// <summary>Whether the handler has input that it has not examined, or holds a result.</summary>
    public bool MayReadOn { get; init; }
}
