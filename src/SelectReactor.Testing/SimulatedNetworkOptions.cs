using System.Net.Sockets;
using SelectReactor.Testing.Network;

namespace SelectReactor.Testing;

/// <summary>
/// The conditions on a <see cref="SimulatedNetwork"/>. The defaults are those of a good local network;
/// <see cref="Draw"/> draws worse ones. The network copies them, so that a later change does not reach it. A setter
/// throws an <see cref="ArgumentOutOfRangeException"/> that names the option if a value is not allowed.
/// </summary>
public sealed record SimulatedNetworkOptions
{
    /// <summary>The shortest time that a packet takes. Default: 50 microseconds.</summary>
    public TimeSpan MinLatency
    {
        get;
        set => field = Condition.NotNegative(value);
    } = TimeSpan.FromMicroseconds(50);

    /// <summary>The longest time that a packet takes. Each packet's time is drawn between the two. The bytes of one
    /// connection still arrive in order. Default: 200 microseconds.</summary>
    public TimeSpan MaxLatency
    {
        get;
        set => field = Condition.NotNegative(value);
    } = TimeSpan.FromMicroseconds(200);

    /// <summary>How many bytes a second one direction of one connection carries. Default: no limit
    /// (<see cref="long.MaxValue"/>).</summary>
    public long BytesPerSecond
    {
        get;
        set => field = Condition.AtLeast(value, 1);
    } = long.MaxValue;

    /// <summary>The chance that a packet is lost, from 0 to below 1. It arrives when it is sent again, 200
    /// milliseconds later or more, unless a reset comes first. Default: 0.</summary>
    public double LossChance
    {
        get;
        set => field = Condition.Chance(value);
    }

    /// <summary>The chance that a datagram is lost, from 0 to below 1. Nobody sends it again. Default: 0.</summary>
    public double DatagramLossChance
    {
        get;
        set => field = Condition.Chance(value);
    }

    /// <summary>The chance that a datagram arrives twice, from 0 to below 1. Default: 0. Datagrams overtake each other
    /// whenever <see cref="MaxLatency"/> is above <see cref="MinLatency"/>.</summary>
    public double DatagramDuplicationChance
    {
        get;
        set => field = Condition.Chance(value);
    }

    /// <summary>The largest IP packet between two hosts, in bytes (MTU), headers included. A longer datagram travels
    /// in fragments: <see cref="DatagramLossChance"/> is the chance of each, and the datagram is lost with one of
    /// them. A handle that does not fragment is refused with <see cref="SocketError.MessageSize"/> instead. Within a
    /// host there is no limit. Streams do not obey it: see <see cref="MaxSegmentBytes"/>. At least 68 (RFC 791).
    /// Default: 1,500.</summary>
    public int MaxPacketBytes
    {
        get;
        set => field = Condition.AtLeast(value, 68);
    } = 1500;

    /// <summary>The largest number of bytes in one packet. Each packet's size is drawn from one byte on, so that
    /// messages are cut anywhere. Default: 1,460.</summary>
    public int MaxSegmentBytes
    {
        get;
        set => field = Condition.AtLeast(value, 1);
    } = 1460;

    /// <summary>How many bytes the system takes from a sender before the peer has acknowledged them. A send of more
    /// is short or would block. SO_SNDBUF replaces it. At least 2. Default: 65,536.</summary>
    public int SendBufferBytes
    {
        get;
        set => field = Condition.AtLeast(value, 2);
    } = 64 * 1024;

    /// <summary>How many bytes the system keeps for a receiver that does not read. SO_RCVBUF replaces it. Datagrams
    /// that find no room are lost; each takes 256 bytes more than it holds. Default: 65,536.</summary>
    public int ReceiveWindowBytes
    {
        get;
        set => field = Condition.AtLeast(value, 1);
    } = 64 * 1024;

    /// <summary>The chance that a packet with data becomes a reset of both ends, from 0 to below 1. Default:
    /// 0.</summary>
    public double ResetChance
    {
        get;
        set => field = Condition.Chance(value);
    }

    /// <summary>The chance that a wait also reports handles that are not ready (select(2), BUGS), from 0 to below 1.
    /// Default: 0.</summary>
    public double SpuriousReadinessChance
    {
        get;
        set => field = Condition.Chance(value);
    }

    /// <summary>The share of the send buffer that must be free before a wait reports room to write, from 0 (any byte)
    /// to below 1. Default: a third, as on Linux.</summary>
    public double MinWritableShare
    {
        get;
        set => field = Condition.Chance(value);
    } = 1.0 / 3;

    /// <summary>Whether a reset discards the bytes that a receiver's system has acknowledged and its program has not
    /// received, as on Windows. Default: false, as on Linux.</summary>
    public bool ResetDiscardsInput { get; set; }

    /// <summary>The chance that a send to a peer that has reset the connection reports a short send and loses the
    /// error, from 0 to below 1. Socket.Send does so when the reset comes between its two attempts. Default:
    /// 0.</summary>
    public double LostSendErrorChance
    {
        get;
        set => field = Condition.Chance(value);
    }

    /// <summary>Whether a reset is reported only once, as on systems that cannot tell TCP's state: a receive after a
    /// send that has met the reset reports the end of the stream, and the next send fails with
    /// <see cref="SocketError.Shutdown"/>. Default: false, as on Linux, where a receive goes on to report
    /// <see cref="SocketError.ConnectionReset"/>.</summary>
    public bool ResetLooksLikeEnd { get; set; }

    /// <summary>How many descriptors a host may have open (RLIMIT_NOFILE). Default: 1,024.</summary>
    public int MaxDescriptors
    {
        get;
        set => field = Condition.AtLeast(value, 1);
    } = 1024;

    /// <summary>How long one tick of a reactor takes, so that time also passes for a loop that never waits. Default:
    /// 1 microsecond.</summary>
    public TimeSpan TickTime
    {
        get;
        set => field = Condition.NotNegative(value);
    } = TimeSpan.FromMicroseconds(1);

    /// <summary>How many events and ticks one call may run. A call that needs more fails: the program seems to spin.
    /// Default: 10,000,000.</summary>
    public long MaxSteps
    {
        get;
        set => field = Condition.AtLeast(value, 1);
    } = 10_000_000;

    /// <summary>How many lines of the trace are kept. Default: 1,000.</summary>
    public int TraceCapacity
    {
        get;
        set => field = Condition.AtLeast(value, 1);
    } = 1000;

    /// <summary>New options with which packets take no time and carry any number of bytes: for tests that are not
    /// about the network.</summary>
    public static SimulatedNetworkOptions Ideal => new()
    {
        MinLatency = TimeSpan.Zero,
        MaxLatency = TimeSpan.Zero,
        MaxPacketBytes = int.MaxValue,
        MaxSegmentBytes = int.MaxValue,
        TickTime = TimeSpan.FromTicks(1),
    };

    /// <summary>
    /// Draws conditions from a seed, each from good to bad: latency up to a second, narrow lines, loss, packets of a
    /// few bytes, small buffers, spurious readiness, and behaviour of other systems than Linux. They are never all
    /// bad at once: a connection still carries some hundred bytes a second. Datagrams are lost and doubled. There are
    /// no resets. A correct program survives all of it.
    /// </summary>
    public static SimulatedNetworkOptions Draw(int seed)
    {
        var random = new Random(seed ^ 0x5EED);
        TimeSpan min = Pick(random, TimeSpan.Zero, TimeSpan.FromMicroseconds(20), TimeSpan.FromMilliseconds(1),
            TimeSpan.FromMilliseconds(80));
        TimeSpan max = min + Pick(
            random, TimeSpan.Zero, TimeSpan.FromMicroseconds(30), TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(
                1));
        bool isFar = max > TimeSpan.FromMilliseconds(5);
        int segment = isFar ? Pick(random, 1460, 64 * 1024) : Pick(random, 1460, 64 * 1024, 100, 3);
        return new SimulatedNetworkOptions
        {
            MinLatency = min,
            MaxLatency = max,
            BytesPerSecond = Pick(random, long.MaxValue, long.MaxValue, 10_000_000, 100_000),
            LossChance = segment < 100 ? 0 : Pick(random, 0, 0, 0.01, 0.1),
            MaxSegmentBytes = segment,
            SendBufferBytes = isFar ? Pick(random, 16 * 1024, 256 * 1024) : Pick(
                random, 64 * 1024, 256 * 1024, 4096, 100),
            ReceiveWindowBytes = isFar ? Pick(random, 16 * 1024, 256 * 1024) : Pick(
                random, 64 * 1024, 256 * 1024, 4096, 50),
            SpuriousReadinessChance = Pick(random, 0, 0, 0.05, 0.3),
            MinWritableShare = Pick(random, 1.0 / 3, 1.0 / 3, 0, 0.6),
            ResetDiscardsInput = Pick(random, false, false, true),
            LostSendErrorChance = Pick(random, 0, 0, 0.5),
            ResetLooksLikeEnd = Pick(random, false, true),
            DatagramLossChance = Pick(random, 0, 0, 0.02, 0.2),
            DatagramDuplicationChance = Pick(random, 0, 0, 0.05),
            MaxPacketBytes = Pick(random, 1500, 1500, 576, 9000),
        };
    }

    private static T Pick<T>(Random random, params ReadOnlySpan<T> choices) => choices[random.Next(choices.Length)];
}
