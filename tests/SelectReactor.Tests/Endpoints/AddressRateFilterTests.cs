using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;

namespace SelectReactor.Tests.Endpoints;

public sealed class AddressRateFilterTests
{
    private readonly FakeTimeProvider _time = new();

    [Test]
    public void BurstThenRate()
    {
        var filter = new AddressRateFilter(perSecond: 2, burst: 3, maxAddresses: 10, _time);
        Assert.That(Count(filter, "10.0.0.1", 10), Is.EqualTo(3));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(Count(filter, "10.0.0.1", 10), Is.EqualTo(2));
        Assert.That(Count(filter, "10.0.0.2", 10), Is.EqualTo(3), "another address");
        _time.Advance(TimeSpan.FromHours(1));
        Assert.That(Count(filter, "10.0.0.1", 10), Is.EqualTo(3), "no more than a burst is saved up");
    }

    [TestCase("10.0.0.1", "::ffff:10.0.0.1", true)]
    [TestCase("2001:db8::1", "2001:db8::2:1", true)]
    [TestCase("2001:db8::1", "2001:db8:0:1::1", false)]
    [TestCase("10.0.0.1", "10.0.0.2", false)]
    [TestCase("::", "0.0.0.0", false)]
    public void OneClient_IsOneIPv4Address_OrOneNetworkOfIPv6(string one, string other, bool same)
    {
        var filter = new AddressRateFilter(perSecond: 1, burst: 1, maxAddresses: 10, _time);
        Count(filter, one, 1);

        Assert.That(Count(filter, other, 1), Is.EqualTo(same ? 0 : 1));
    }

    [Test]
    public void Memory_IsBounded_AndOldAddressesAreForgotten([Values(1, 60)] int seconds)
    {
        var filter = new AddressRateFilter(perSecond: 1, burst: 1, maxAddresses: 3, _time);
        Assert.That(Enumerable.Range(1, 5).Sum(i => Count(filter, $"10.0.0.{i}", 1)), Is.EqualTo(3));
        _time.Advance(TimeSpan.FromSeconds(seconds));

        Assert.That(Enumerable.Range(11, 5).Sum(i => Count(filter, $"10.0.0.{i}", 1)), Is.EqualTo(3));
    }

    [Test]
    public void WhoHasNoAddress_IsAllowed()
    {
        var filter = new AddressRateFilter(perSecond: 1, burst: 1);

        Assert.That(
            filter.Allows(null) && filter.Allows(null) && filter.Allows(new UnixDomainSocketEndPoint("/tmp/x")));
    }

    [Test]
    public void Numbers_AreChecked()
    {
        foreach (double rate in (double[])[0, -1, double.PositiveInfinity, double.NaN, -double.NaN])
        {
            Assert.That(
                () => new AddressRateFilter(rate, 1), Throws.InstanceOf<ArgumentOutOfRangeException>(), $"{rate}");
        }

        Assert.That(() => new AddressRateFilter(1, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private static int Count(AddressRateFilter filter, string address, int tries) =>
        Enumerable.Range(0, tries).Count(_ => filter.Allows(new IPEndPoint(IPAddress.Parse(address), 1)));
}
