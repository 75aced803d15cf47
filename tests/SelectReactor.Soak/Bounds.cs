using SelectReactor.Testing;

namespace SelectReactor.Soak;

/// <summary>How long things may take under the conditions that were drawn: what is promised and what is not.</summary>
internal static class Bounds
{
    /// <summary>Room for the time that ticks take, one microsecond each.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan _retransmission = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest way of a packet, and of the few bytes that were sent before it.</summary>
    public static TimeSpan OneWay(SimulatedNetwork network)
    {
        SimulatedNetworkOptions options = network.Options;
        return options.MaxLatency + Slack + (options.LossChance > 0 ? _retransmission : TimeSpan.Zero);
    }

    /// <summary>Until a client that connects is open at the server: three packets.</summary>
    public static TimeSpan Connect(SimulatedNetwork network) => 3 * OneWay(network);

    /// <summary>Some time from nothing to this one.</summary>
    public static TimeSpan UpTo(this Random random, TimeSpan max) =>
        TimeSpan.FromTicks(random.NextInt64(max.Ticks + 1));

    /// <summary>Some time between two.</summary>
    public static TimeSpan Between(this Random random, TimeSpan min, TimeSpan max) =>
        min + random.UpTo(max - min);

    public static bool Coin(this Random random) => random.Next(2) == 0;

    /// <summary>Some bytes of some number.</summary>
    public static byte[] Bytes(this Random random, int max)
    {
        byte[] bytes = new byte[random.Next(1, max + 1)];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>That something was neither early nor late.</summary>
    public static void RequireWithin(TimeSpan actual, TimeSpan min, TimeSpan max, string what)
    {
        if (actual < min || actual > max)
        {
            throw new RequirementException($"{what} came after {actual}, not between {min} and {max}.");
        }
    }

    /// <summary>That a host had no more turns than it had things to do; spurious readiness makes some in
    /// vain.</summary>
    public static void RequireFewTicks(SimulatedHost host, long before, int useful)
    {
        long max = (3 * useful) + 50;
        if (host.Ticks - before > max)
        {
            throw new RequirementException(
                $"{host.Name} took {host.Ticks - before} ticks for {useful} things to do: it spins.");
        }
    }
}
