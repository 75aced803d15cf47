using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>
/// Limits how often one address may connect, by a token bucket each: a burst at first, then a steady rate. IPv6 clients
/// count by their /64 network, since one subscriber has all of it. One filter may serve several listeners of one reactor.
/// </summary>
public sealed class AddressRateFilter : IAcceptFilter
{
    private readonly double _perSecond;
    private readonly double _burst;
    private readonly int _maxAddresses;
    private readonly TimeProvider _time;
    private readonly Dictionary<UInt128, Bucket> _buckets = [];
    private long? _lastSweep;

    /// <summary>A filter on the system's clock that remembers up to 65,536 addresses.</summary>
    /// <inheritdoc cref="AddressRateFilter(double, int, int, TimeProvider)"/>
    public AddressRateFilter(double perSecond, int burst)
        : this(perSecond, burst, maxAddresses: 65_536, TimeProvider.System)
    {
    }

    /// <summary>A filter.</summary>
    /// <param name="perSecond">How many connections a second an address may make in the long run; above zero
    /// and finite.</param>
    /// <param name="burst">How many it may make at once when it has made none for a while; at least 1.</param>
    /// <param name="maxAddresses">How many addresses are remembered at once. While all of them are in use, a further one
    /// is refused: memory stays bounded under a flood.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small, or not finite.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="timeProvider"/> is null.</exception>
    public AddressRateFilter(double perSecond, int burst, int maxAddresses, TimeProvider timeProvider)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);

        // Times no time at all it would be no number, and everybody refused.
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
            // Such as a Unix-domain client, which has no address to count by.
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
            // Where no IPv6 network is, so that the two never meet.
            bytes[..length].CopyTo(bytes[12..]);
            bytes[..12].Fill(0xFF);
        }

        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private double Refill(Bucket bucket, long now) =>
        Math.Min(_burst, bucket.Tokens + (_time.GetElapsedTime(bucket.At, now).TotalSeconds * _perSecond));

    // A bucket that is full again says no more than none.
    private void ForgetFullBuckets(long now)
    {
        // At most once a second, so that a flood of new addresses does not make each of them a search of all.
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
