using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>Multicast groups, long datagrams that may not be cut, and drops.</summary>
public sealed class GroupTests(string world) : DatagramFixture(world)
{
    private static readonly IPAddress _group = IPAddress.Parse("239.255.9.9");

    private static readonly int _loopback = NetworkInterface.GetAllNetworkInterfaces()
        .First(static each => each.NetworkInterfaceType == NetworkInterfaceType.Loopback)
        .GetIPProperties().GetIPv4Properties().Index;

    [Test]
    public void Member_HearsTheGroup_UntilItLeaves()
    {
        Handle member = BoundToAny(), sender = Sending();
        SocketAddress to = GroupAddress(member);
        Assert.That(member.JoinGroup(_group, _loopback, source: null), Is.EqualTo(SocketError.Success));
        Assert.That(sender.SendTo([1], to, out int sent), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.EqualTo(1));
        Assert.That(ReceiveFrom(member), Is.EqualTo((SocketError.Success, new byte[] { 1 })));
        Assert.That(PortOf(Sender), Is.EqualTo(PortOf(sender.LocalEndPoint!)));

        Assert.That(member.LeaveGroup(_group, _loopback, source: null), Is.EqualTo(SocketError.Success));
        sender.SendTo([2], to, out _);
        Settle();
        Assert.That(member.ReceiveFrom(new byte[1], Sender, out _), Is.EqualTo(SocketError.WouldBlock));
    }

    [Test]
    public void EachMember_HearsTheGroup()
    {
        Handle first = BoundToAny(), second = BoundToAny(PortOf(first.LocalEndPoint!)), sender = Sending();
        first.JoinGroup(_group, _loopback, source: null);
        second.JoinGroup(_group, _loopback, source: null);
        sender.SendTo([1], GroupAddress(first), out _);

        Assert.That(ReceiveFrom(first).Bytes, Is.EqualTo(new byte[] { 1 }));
        Assert.That(ReceiveFrom(second).Bytes, Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public void GroupWithoutMembers_TellsNothing()
    {
        Handle sender = Sending();

        Assert.That(
            sender.SendTo([1], new IPEndPoint(_group, 9).Serialize(), out _), Is.EqualTo(SocketError.Success));
        Settle();
        Assert.That(sender.ReceiveFrom(new byte[1], Sender, out _), Is.EqualTo(SocketError.WouldBlock));
    }

    [Test]
    public void WrongGroups_AreValues()
    {
        Handle handle = BoundToAny();
        Assert.That(handle.JoinGroup(_group, _loopback, source: null), Is.EqualTo(SocketError.Success));

        Assert.That(
            handle.JoinGroup(_group, _loopback, source: null), Is.EqualTo(SocketError.AddressAlreadyInUse), "twice");
        Assert.That(
            handle.LeaveGroup(IPAddress.Parse("239.255.9.8"), _loopback, source: null),
            Is.EqualTo(SocketError.AddressNotAvailable),
            "not joined");
        Assert.That(
            handle.JoinGroup(IPAddress.Loopback, _loopback, source: null),
            Is.EqualTo(SocketError.InvalidArgument),
            "no group");
        Assert.That(
            NewStream().JoinGroup(_group, _loopback, source: null), Is.EqualTo(SocketError.OperationNotSupported));
        handle.Close();
        Assert.That(
            handle.JoinGroup(_group, _loopback, source: null), Is.EqualTo(SocketError.OperationAborted), "closed");
    }

    [Test]
    public void LongDatagram_ThatMayNotBeCut_FitsWithinAHost()
    {
        Handle server = BoundOne(), client = NewDatagram();
        Assert.That(
            client.SetOption(SocketOptionLevel.IP, SocketOptionName.DontFragment, 1), Is.EqualTo(SocketError.Success));

        Assert.That(SendTo(client, server, new byte[65_507]), Is.EqualTo((SocketError.Success, 65_507)));
        Assert.That(ReceiveFrom(server, 65_507).Bytes, Has.Length.EqualTo(65_507));
    }

    [Test]
    public void DroppedDatagrams_AreCounted()
    {
        Handle server = BoundOne(), client = NewDatagram();
        server.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, 4096);
        for (int i = 0; i < 100; i++)
        {
            SendTo(client, server, new byte[1000]);
        }

        Settle();
        int received = 0;
        while (server.ReceiveFrom(new byte[1000], Sender, out _) == SocketError.Success)
        {
            received++;
        }

        Assert.That(server.TryGetDroppedDatagrams(out long dropped), Is.True);
        Assert.That(dropped, Is.EqualTo(100 - received));
        Assert.That(client.TryGetDroppedDatagrams(out dropped), Is.True);
        Assert.That(dropped, Is.Zero);
        server.Close();
        Assert.That(server.TryGetDroppedDatagrams(out _), Is.False);
    }

    private static SocketAddress GroupAddress(Handle member) =>
        new IPEndPoint(_group, PortOf(member.LocalEndPoint!)).Serialize();

    private Handle BoundToAny(int port = 0)
    {
        Handle handle = NewDatagram();
        handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1);
        Assert.That(handle.Bind(new IPEndPoint(IPAddress.Any, port)), Is.EqualTo(SocketError.Success));
        return handle;
    }

    private Handle Sending()
    {
        Handle handle = NewDatagram();
        handle.SetOption(
            SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(_loopback));
        return handle;
    }
}
