using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Datagrams;

/// <summary>Multicast groups: of IPv4 on the loopback interface, and of IPv6, for which Linux has no multicast there,
/// on another one if there is one.</summary>
[Platform("Linux")]
public sealed class DatagramGroupTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly NetworkInterface[] _interfaces = NetworkInterface.GetAllNetworkInterfaces();

    private static readonly int _loopback = _interfaces
        .First(static each => each.NetworkInterfaceType == NetworkInterfaceType.Loopback)
        .GetIPProperties().GetIPv4Properties().Index;

    private static DatagramOptions OverLoopback => new() { MulticastInterface = _loopback };

    [TestCase("239.255.7.7")]
    [TestCase("ff02::7007")]
    public void Members_HearTheGroup_UntilTheyLeave(string address)
    {
        var group = IPAddress.Parse(address);
        bool isV6 = group.AddressFamily == AddressFamily.InterNetworkV6;
        var any = new IPEndPoint(isV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        int index = isV6 ? InterfaceOfV6().Index : _loopback;
        var scripts = new[] { new DatagramScript(), new DatagramScript() };
        var reusing = new DatagramOptions { ReuseAddress = true };
        DatagramSocket one = Reactor.BindDatagram(any, scripts[0], reusing);
        int port = ((IPEndPoint)one.LocalEndPoint!).Port;
        DatagramSocket other = Reactor.BindDatagram(new IPEndPoint(any.Address, port), scripts[1], reusing);
        DatagramSocket sender = Reactor.BindDatagram(
            any, new DatagramScript(), new DatagramOptions { MulticastInterface = index });
        SocketAddress to = new IPEndPoint(group, port).Serialize();
        one.JoinGroup(group, index);
        other.JoinGroup(group, index);

        Assert.That(sender.TrySend([1], to), Is.EqualTo(DatagramSendResult.Sent));
        RunUntil(() => scripts.All(static script => script.Datagrams.Count == 1));
        one.LeaveGroup(group, index);
        sender.TrySend([2], to);
        RunUntil(() => scripts[1].Datagrams.Count == 2);
        Reactor.RunOnce(TimeSpan.FromMilliseconds(20));

        Assert.That(scripts[0].Datagrams, Has.Count.EqualTo(1));
        Assert.That(
            () => one.LeaveGroup(group, index),
            Throws.InstanceOf<SocketException>().With.Message.StartsWith(
                $"Can't leave the group {group} on interface"));
    }

    // Linux gives every socket on any address what any program of the machine has joined, unless it is told not to.
    [Test]
    public void GroupsOfOthers_AreNotHeard()
    {
        var group = IPAddress.Parse("239.255.7.8");
        var any = new IPEndPoint(IPAddress.Any, 0);
        (DatagramScript member, DatagramScript stranger) = (new DatagramScript(), new DatagramScript());
        var reusing = new DatagramOptions { ReuseAddress = true };
        DatagramSocket joined = Reactor.BindDatagram(any, member, reusing);
        var local = (IPEndPoint)joined.LocalEndPoint!;
        Reactor.BindDatagram(local, stranger, reusing);
        DatagramSocket sender = Reactor.BindDatagram(any, new DatagramScript(), OverLoopback);
        joined.JoinGroup(group, _loopback);

        sender.TrySend([1], new IPEndPoint(group, local.Port).Serialize());
        RunUntil(() => member.Datagrams.Count == 1);
        Reactor.RunOnce(TimeSpan.FromMilliseconds(20));

        Assert.That(stranger.Datagrams, Is.Empty);
    }

    [Test]
    public void OneSource_IsHeard_AndNoOther([Values] bool isV6)
    {
        (int index, IPAddress source) = isV6 ? InterfaceOfV6() : (_loopback, IPAddress.Loopback);
        var group = IPAddress.Parse(isV6 ? "ff32::8000:7" : "232.1.2.3");
        var other = IPAddress.Parse(isV6 ? "2001:db8::2" : "127.0.0.2");
        var script = new DatagramScript();
        DatagramSocket member = Reactor.BindDatagram(
            new IPEndPoint(isV6 ? IPAddress.IPv6Any : IPAddress.Any, 0), script);
        SocketAddress to = new IPEndPoint(group, ((IPEndPoint)member.LocalEndPoint!).Port).Serialize();
        member.JoinGroup(group, index, other);
        DatagramSocket sender = Reactor.BindDatagram(
            new IPEndPoint(source, 0), new DatagramScript(), new DatagramOptions { MulticastInterface = index });
        sender.TrySend([1], to);
        Reactor.RunOnce(TimeSpan.FromMilliseconds(20));
        Assert.That(script.Datagrams, Is.Empty);

        member.LeaveGroup(group, index, other);
        member.JoinGroup(group, index, source);
        sender.TrySend([2], to);
        RunUntil(() => script.Datagrams.Count == 1);

        Assert.That(script.Datagrams[0].Bytes, Is.EqualTo(new byte[] { 2 }));
    }

    [Test]
    public void GroupThatIsNone_IsRefused_WithItsName()
    {
        DatagramSocket socket = Reactor.BindDatagram(new IPEndPoint(IPAddress.Any, 0), new DatagramScript());

        Assert.That(
            () => socket.JoinGroup(IPAddress.Loopback),
            Throws.InstanceOf<SocketException>().With.Message.EqualTo(
                "Can't join the group 127.0.0.1: Invalid argument."));
        Assert.That(
            () => socket.JoinGroup(IPAddress.Parse("239.1.1.1"), 54321),
            Throws.InstanceOf<SocketException>().With.Message.Contains("on interface 54321"));
    }

    private static (int Index, IPAddress Address) InterfaceOfV6()
    {
        var found =
            from each in _interfaces
            where each.OperationalStatus == OperationalStatus.Up && each.SupportsMulticast
                && each.NetworkInterfaceType != NetworkInterfaceType.Loopback
                && each.Supports(NetworkInterfaceComponent.IPv6)
            let properties = each.GetIPProperties()
            from unicast in properties.UnicastAddresses
            where unicast.Address.AddressFamily == AddressFamily.InterNetworkV6
            select (properties.GetIPv6Properties().Index, unicast.Address);
        (int Index, IPAddress Address) first = found.FirstOrDefault();
        Assume.That(first.Address, Is.Not.Null, "no interface has IPv6 multicast here");
        return first;
    }
}
