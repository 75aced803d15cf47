using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>
/// Limits how often one address may connect, with a token bucket for each: a burst at first, then a steady rate. IPv6
/// clients are counted by their /64 network, since one subscriber owns all of it. One filter may serve several
/// listeners of one reactor.
/// </summary>
public sealed class AddressRateFilter : IAcceptFilter
{
    private readonly double _perSecond;
    private readonly double _burst;
    private readonly int _maxAddresses;
    private readonly TimeProvider _time;
    private readonly Dictionary<UInt128, Bucket> _buckets = [];
    private long? _lastSweep;

    /// <summary>Creates a filter that uses the system's clock and remembers up to 65,536 addresses.</summary>
    /// <inheritdoc cref="AddressRateFilter(double, int, int, TimeProvider)"/>
    public AddressRateFilter(double perSecond, int burst)
        : this(perSecond, burst, maxAddresses: 65_536, TimeProvider.System)
    {
    }

    /// <summary>Creates a filter.</summary>
    /// <param name="perSecond">The connections per second that one address may make in the long run; above zero and
    /// finite.</param>
    /// <param name="burst">The connections that one address may make at once after a quiet time; at least 1.</param>
    /// <param name="maxAddresses">The addresses that are remembered at once; at least 1. While all of them are in use,
    /// a further one is refused, so that memory stays bounded under a flood.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small, or not finite.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="timeProvider"/> is null.</exception>
    public AddressRateFilter(double perSecond, int burst, int maxAddresses, TimeProvider timeProvider)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);

        // Infinity times a duration of zero is not a number, and the filter would then refuse every client.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(perSecond, double.MaxValue);
        ArgumentOutOfRangeException.ThrowIfEqual(perSecond, double.NaN);
        ArgumentOutOfRangeException.ThrowIfLessThan(burst, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxAddresses, 1);
        ArgumentNullException.ThrowIfNull(timeProvider);
        _perSecond = perSecond;
        _burst = burst;
        _maxAddresses = maxAddresses;
        _time = timeProvider;
    }

    /// <inheritdoc/>
    public bool Allows(EndPoint? remoteEndPoint)
    {
        if (remoteEndPoint is not IPEndPoint { Address: var address })
        {
            // A Unix-domain client, for example, has no address to count by.
            return true;
        }

        UInt128 client = Network(address);
        long now = _time.GetTimestamp();
        if (!_buckets.TryGetValue(client, out Bucket bucket))
        {
            if (_buckets.Count >= _maxAddresses)
            {
                ForgetFullBuckets(now);
            }

            if (_buckets.Count >= _maxAddresses)
            {
                return false;
            }

            bucket = new Bucket(_burst, now);
        }

        double tokens = Refill(bucket, now);
        bool allowed = tokens >= 1;
        _buckets[client] = new Bucket(allowed ? tokens - 1 : tokens, now);
        return allowed;
    }

    private static UInt128 Network(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        IPAddress canonical = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        canonical.TryWriteBytes(bytes, out int length);
        if (canonical.AddressFamily == AddressFamily.InterNetworkV6)
        {
            bytes[8..].Clear();
        }
        else
        {
            // No IPv6 network begins with these bytes, so that the two never collide.
            bytes[..length].CopyTo(bytes[12..]);
            bytes[..12].Fill(0xFF);
        }

        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private double Refill(Bucket bucket, long now) =>
        Math.Min(_burst, bucket.Tokens + (_time.GetElapsedTime(bucket.At, now).TotalSeconds * _perSecond));

    // A bucket that is full again holds no information.
    private void ForgetFullBuckets(long now)
    {
        // At most once a second. Otherwise each new address of a flood would cause a search of all.
        if (_lastSweep is { } last && _time.GetElapsedTime(last, now) < TimeSpan.FromSeconds(1))
        {
            return;
        }

        _lastSweep = now;
        foreach ((UInt128 client, Bucket bucket) in _buckets)
        {
            if (Refill(bucket, now) >= _burst)
            {
                _buckets.Remove(client);
            }
        }
    }

    private readonly record struct Bucket(double Tokens, long At);
}
