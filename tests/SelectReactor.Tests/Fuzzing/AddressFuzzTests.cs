using System.Net;
using System.Net.Sockets;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>The rate filter against one that keeps every address apart by its text.</summary>
public sealed class AddressFuzzTests
{
    private const int MostAddresses = 6;

    private static Gen<IPAddress> Address { get; } = Gen.Frequency(
        (3, Gen.OneOf((byte)0, (byte)1, (byte)255).Array[4].Select(static bytes => new IPAddress(bytes))),
        (3, Gen.OneOf((byte)0, (byte)1, (byte)255).Array[4].Select(static bytes => new IPAddress(bytes).MapToIPv6())),
        (2, Gen.Select(Gen.OneOf((byte)0, (byte)255, (byte)0x20).Array[2], Gen.Byte.Array[8], Gen.Long[0, 3],
            static (network, host, scope) =>
                new IPAddress([.. Enumerable.Repeat(network[0], 7), network[1], .. host], scope))),
        (1, Gen.Byte.Array[16].Select(static bytes => new IPAddress(bytes))));

    private static Gen<double> Rate { get; } = Gen.Frequency(
        (3, Gen.Double),
        (1, Gen.OneOf(double.NaN, -double.NaN, double.PositiveInfinity, double.MaxValue, double.Epsilon, 0, -0.0)));

    [Test]
    public void Filter_AllowsWhatAListOfAddressesWould() =>
        Fuzz.Run(
            Gen.Select(
                Gen.Select(Address, Gen.OneOf(0, 0, 0, 1, 250, 1000, 5000)).Array[1, 60],
                Gen.Int[1, 3],
                Gen.OneOf(1, 2, 4)),
            1500,
            static value =>
            {
                ((IPAddress Address, int Wait)[] calls, int burst, int perSecond) = value;
                var time = new FakeTimeProvider();
                var filter = new AddressRateFilter(perSecond, burst, MostAddresses, time);
                var model = new Dictionary<string, (decimal Tokens, long At)>();
                long now = 0;
                long? swept = null;
                foreach ((IPAddress address, int wait) in calls)
                {
                    now += wait;
                    time.Advance(TimeSpan.FromMilliseconds(wait));
                    bool expected = ModelAllows(model, Client(address), now, burst, perSecond, ref swept);
                    Fuzz.RequireEqual(filter.Allows(new IPEndPoint(address, 1)), expected, $"{address} at {now}");
                }
            });

    [Test]
    public void FilterOfAnyRate_RefusesTheRateOrAllowsTheFirst() =>
        Fuzz.Run(
            Gen.Select(Rate, Gen.Int, Gen.Int),
            4000,
            static value =>
            {
                (double perSecond, int burst, int most) = value;
                AddressRateFilter filter;
                try
                {
                    filter = new AddressRateFilter(perSecond, burst, most, new FakeTimeProvider());
                }
                catch (ArgumentOutOfRangeException)
                {
                    bool isFine = double.IsFinite(perSecond) && perSecond > 0 && burst > 0 && most > 0;
                    Fuzz.Require(!isFine, "these numbers are fine and refused");
                    return;
                }

                bool allows = filter.Allows(new IPEndPoint(IPAddress.Loopback, 1));
                Fuzz.Require(allows, "the first connection of all is refused");
            });

    private static string Client(IPAddress address)
    {
        string[] groups = [.. address.MapToIPv6().GetAddressBytes().Select(static b => $"{b:x2}")];
        bool isFour = address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6;
        return isFour ? string.Concat(groups[12..]) : string.Concat(groups[..8]);
    }

    private static bool ModelAllows(
        Dictionary<string, (decimal Tokens, long At)> model,
        string client,
        long now,
        int burst,
        int perSecond,
        ref long? swept)
    {
        decimal Tokens((decimal Tokens, long At) bucket) =>
            Math.Min(burst, bucket.Tokens + ((now - bucket.At) * perSecond / 1000m));
        if (!model.ContainsKey(client) && model.Count >= MostAddresses)
        {
            if (swept is null || now - swept >= 1000)
            {
                swept = now;
                foreach ((string full, _) in model.Where(entry => Tokens(entry.Value) >= burst).ToArray())
                {
                    model.Remove(full);
                }
            }

            if (model.Count >= MostAddresses)
            {
                return false;
            }
        }

        decimal tokens = model.TryGetValue(client, out (decimal, long) known) ? Tokens(known) : burst;
        model[client] = (tokens >= 1 ? tokens - 1 : tokens, now);
        return tokens >= 1;
    }
}
