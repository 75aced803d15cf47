using System.Net.Sockets;

namespace SelectReactor;

/// <summary>The limits and habits of a connection. Sizes are in bytes.</summary>
public sealed class ConnectionOptions
{
    /// <summary>Whether small writes leave at once instead of waiting for more (TCP_NODELAY, tcp(7)). Default: true.</summary>
    public bool NoDelay { get; init; } = true;

    /// <summary>Receiving pauses when the handler has not examined this many bytes, and resumes at half of it, so that the
    /// peer is slowed down by TCP. Default: 65,536.</summary>
    public int InputPauseThreshold
    {
        get;
        init => field = Positive(value);
    } = 64 * 1024;

    /// <summary>A peer that sends on when the handler has not consumed this many bytes is closed with
    /// <see cref="CloseKind.LimitExceeded"/>: the largest frame. Default: 1,048,576.</summary>
    public int MaxInputBytes
    {
        get;
        init => field = Positive(value);
    } = 1024 * 1024;

    /// <summary>From this many queued bytes on, <see cref="Connection.IsWritable"/> is false and <c>FlushAsync</c> waits.
    /// Default: 65,536.</summary>
    public int OutputHighWaterMark
    {
        get;
        init => field = Positive(value);
    } = 64 * 1024;

    /// <summary>At this many queued bytes writing may go on: <c>OnWritable</c> is called. A mark above the high one counts as
    /// that one. Default: 32,768.</summary>
    public int OutputLowWaterMark
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 32 * 1024;

    /// <summary>Queueing more than this many bytes closes the connection with <see cref="CloseKind.LimitExceeded"/>;
    /// <see cref="Connection.TryWrite"/> refuses instead. Default: 16,777,216.</summary>
    public int MaxOutputBytes
    {
        get;
        init => field = Positive(value);
    } = 16 * 1024 * 1024;

    /// <summary>
    /// Whether receiving also pauses while the output is above its mark, which bounds a handler that answers without looking.
    /// Two ends that both do so can wait for each other for ever. Default (null): true for accepted connections, false for
    /// outgoing ones.
    /// </summary>
    public bool? PauseReadingWhenOutputIsFull { get; init; }

    /// <summary>How long <see cref="Connection.Close"/> waits while nothing happens: first for the peer to take what is still
    /// queued, each bit of which starts the time anew, then for its end of stream, so that it can read our last bytes before a
    /// reset overtakes them. Then the connection is cut. Zero waits for the queue only. Default: 5 seconds.</summary>
    public TimeSpan LingerTimeout
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    internal static ConnectionOptions Default { get; } = new();

    /// <summary>Sets what is a matter of the socket, before it is bound. A failure costs speed and nothing else.</summary>
    internal void ApplyTo(Handle handle, AddressFamily family)
    {
        if (NoDelay && family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
        {
            handle.SetOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1);
        }
    }

    private static int Positive(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        return value;
    }
}
