using System.Net.Sockets;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>
/// The limits and settings of a connection. Sizes are in bytes. The options are copied when a listener, a client or an
/// adopted connection is created, so that a later change does not reach it. A setter throws an
/// <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class ConnectionOptions
{
    /// <summary>Whether small writes leave at once and do not wait for more (TCP_NODELAY, tcp(7)). Default:
    /// true.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>The time without traffic after which the system asks the peer whether it is still there (SO_KEEPALIVE
    /// and TCP_KEEPIDLE, tcp(7)), at least one second. A peer that does not answer <see cref="KeepAliveProbes"/>
    /// probes ends the connection with <see cref="CloseKind.TimedOut"/>. Rounded up to whole seconds, 32,767 at most.
    /// Default (null): the system does not ask.</summary>
    public TimeSpan? KeepAliveTime
    {
        get;
        set => field = value is { } time ? OptionValue.AtLeast(this, time, TimeSpan.FromSeconds(1)) : null;
    }

    /// <summary>The time between two probes that are not answered (TCP_KEEPINTVL, tcp(7)), at least one second. It has
    /// an effect only with <see cref="KeepAliveTime"/>. Rounded up to whole seconds, 32,767 at most. Default: 10
    /// seconds.</summary>
    public TimeSpan KeepAliveInterval
    {
        get;
        set => field = OptionValue.AtLeast(this, value, TimeSpan.FromSeconds(1));
    } = TimeSpan.FromSeconds(10);

    /// <summary>The number of unanswered probes after which the peer counts as dead (TCP_KEEPCNT, tcp(7)). It has an
    /// effect only with <see cref="KeepAliveTime"/>: with the defaults a dead peer is noticed a minute after that
    /// time. 127 at most. Default: 6.</summary>
    public int KeepAliveProbes
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 6;

    /// <summary>The system's send buffer in bytes (SO_SNDBUF, socket(7)). Default (null): the system chooses, and
    /// adapts it.</summary>
    public int? SendBufferBytes
    {
        get;
        set => field = value is { } bytes ? OptionValue.AtLeast(this, bytes, 1) : null;
    }

    /// <summary>The system's receive buffer in bytes (SO_RCVBUF, socket(7)). Default (null): the system chooses, and
    /// adapts it.</summary>
    public int? ReceiveBufferBytes
    {
        get;
        set => field = value is { } bytes ? OptionValue.AtLeast(this, bytes, 1) : null;
    }

    /// <summary>Receiving pauses when the handler has not examined this many bytes, and resumes at half of it, so that
    /// the peer is slowed down by TCP. One more receive, of up to 131,072 bytes, may bring more than that. A threshold
    /// above <see cref="MaxInputBytes"/> counts as that limit. Default: 65,536.</summary>
    public int InputPauseThreshold
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 64 * 1024;

    /// <summary>A peer that sends on when the handler has not consumed this many bytes is closed with
    /// <see cref="CloseKind.LimitExceeded"/>. It bounds the largest frame. Default: 1,048,576.</summary>
    public int MaxInputBytes
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 1024 * 1024;

    /// <summary>From this many queued bytes on, <see cref="Connection.IsWritable"/> is false and <c>FlushAsync</c>
    /// waits. A mark above <see cref="MaxOutputBytes"/> counts as that limit. Default: 65,536.</summary>
    public int OutputHighWaterMark
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 64 * 1024;

    /// <summary>When the queue falls to this many bytes, writing may go on: <c>OnWritable</c> is called. A mark above
    /// the high one counts as that one. Default: 32,768.</summary>
    public int OutputLowWaterMark
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 0);
    } = 32 * 1024;

    /// <summary>Queueing more than this many bytes closes the connection with <see cref="CloseKind.LimitExceeded"/>;
    /// <see cref="Connection.TryWrite(ReadOnlySpan{byte})"/> refuses instead. Default: 16,777,216.</summary>
    public int MaxOutputBytes
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 16 * 1024 * 1024;

    /// <summary>
    /// Whether receiving also pauses while the output is above its mark, which bounds a handler that answers without
    /// looking. Two ends that both do so can wait for each other for ever. Default (null): true for accepted
    /// connections, false for outgoing ones.
    /// </summary>
    public bool? PauseReadingWhenOutputIsFull { get; set; }

    /// <summary>
    /// How long <see cref="Connection.Close()"/> waits without progress. The timer restarts whenever the peer's system
    /// acknowledges bytes (TCP_INFO, tcp(7); where the system does not tell, whenever it takes bytes from us). When
    /// everything is acknowledged, the wait is for the peer's end of stream: it can then read the last bytes before a
    /// reset overtakes them. At the end of the wait the connection closes in good order if the system has taken all
    /// output: it goes on to send what the peer has not acknowledged, which <see cref="CloseReason.UnsentBytes"/>
    /// tells, and gives up a peer that takes nothing in its own time (Linux: tcp_orphan_retries and tcp_max_orphans,
    /// tcp(7)). If output is still queued, the connection is cut (RST). A peer that reads slowly into a large receive
    /// buffer acknowledges in large steps, so a short time may cut it while output is queued. Zero waits only until
    /// the system has taken the queue. A connection that has sent nothing does not wait, and the oldest end earlier if
    /// too many wait (<see cref="ReactorOptions.MaxLingeringConnections"/>). Default: 30 seconds.
    /// </summary>
    public TimeSpan LingerTimeout
    {
        get;
        set => field = OptionValue.NotNegative(this, value);
    } = TimeSpan.FromSeconds(30);

    /// <summary>How long <see cref="Connection.Close()"/> may take in all, however steadily the peer reads; then the
    /// connection ends as after <see cref="LingerTimeout"/>. Above zero; <see cref="Timeout.InfiniteTimeSpan"/> for no
    /// bound. Default: 5 minutes.</summary>
    public TimeSpan MaxLingerTime
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromMinutes(5);

    /// <summary>How much a peer may send between <see cref="Connection.Close()"/> and its end of stream. It is
    /// dropped; a peer that sends more is cut. Default: 16,777,216.</summary>
    public int MaxLingerBytes
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 16 * 1024 * 1024;

    /// <summary>Whether the end of the reactor resets a connection whose handler has not ended the output: by the
    /// deadline of a shutdown or a drain, or when the reactor is disposed. For a protocol in which an answer ends with
    /// the connection, since the peer would take a short one for a whole one. Default: false: the system gets all of
    /// the queue that it takes at once, and the connection is reset only if some is left.</summary>
    public bool ResetWhenStopped { get; set; }

    /// <summary>A peer that sends nothing for this long after the connection opened is cut with
    /// <see cref="CloseKind.TimedOut"/>, as with all time-outs here. None of them fires while the peer still takes
    /// bytes from us or reading is paused, and each may be off by as long as a callback holds up the loop. Above zero,
    /// or <see cref="Timeout.InfiniteTimeSpan"/> for none. Default: none, since in some protocols the server speaks
    /// first.</summary>
    public TimeSpan FirstByteTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = Timeout.InfiniteTimeSpan;

    /// <summary>How long the rest of a message may take: while input is left unconsumed, the handler must consume
    /// something within this time, however many bytes trickle in meanwhile. A handler that takes its own time over a
    /// whole message should pause reading. Above zero; default: none
    /// (<see cref="Timeout.InfiniteTimeSpan"/>).</summary>
    public TimeSpan MessageTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = Timeout.InfiniteTimeSpan;

    /// <summary>How long the peer may send nothing. Above zero; default: none
    /// (<see cref="Timeout.InfiniteTimeSpan"/>).</summary>
    public TimeSpan ReadIdleTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = Timeout.InfiniteTimeSpan;

    /// <summary>How long nothing may be received and nothing sent. Above zero; default: none
    /// (<see cref="Timeout.InfiniteTimeSpan"/>).</summary>
    public TimeSpan IdleTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = Timeout.InfiniteTimeSpan;

    /// <summary>While output waits for room, the peer must take 4,096 bytes, or all of it, in each period of this
    /// length. A slow reader stays connected; one that takes a byte a minute is cut within twice the time. Above zero;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for none. Default: 60 seconds.</summary>
    public TimeSpan WriteProgressTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(60);

    /// <summary>Whether each connection is a span of the activity source "SelectReactor", with the addresses, the
    /// bytes and the reason of its end, if somebody listens and samples it. While it is open,
    /// <c>connection.GetFeature&lt;Activity&gt;()</c> is the span. A <c>ConnectAsync</c> is one, too, from the call to
    /// the connection or the error, and a part of the caller's activity. Default: false.</summary>
    public bool TraceConnections { get; set; }

    internal ConnectionOptions Copy() => (ConnectionOptions)MemberwiseClone();

    /// <summary>Sets the options that concern the socket. Call it before the socket is bound. The connection works
    /// without them, so a system that refuses one is no error.</summary>
    internal void ApplyTo(Handle handle, AddressFamily family)
    {
        bool isTcp = family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;
        if (NoDelay && isTcp)
        {
            handle.SetOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1);
        }

        if (KeepAliveTime is { } time && isTcp)
        {
            handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1);
            handle.SetOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, ToSeconds(time));
            handle.SetOption(
                SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ToSeconds(KeepAliveInterval));
            handle.SetOption(
                SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Math.Min(KeepAliveProbes, 127));
        }

        if (SendBufferBytes is { } sendBytes)
        {
            handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, sendBytes);
        }

        if (ReceiveBufferBytes is { } receiveBytes)
        {
            handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, receiveBytes);
        }
    }

    // Linux refuses more, and would then use its default.
    private static int ToSeconds(TimeSpan time) => (int)Math.Min(Math.Ceiling(time.TotalSeconds), short.MaxValue);
}
