using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Datagrams;

/// <summary>What one datagram costs in allocations: a figure that must not creep up.</summary>
public sealed class DatagramCostTests(SelectorKind selector) : ReactorFixture(selector)
{
    private const int Datagrams = 2_000;

    [TestCase(32, false)]
    [TestCase(32, true)]
    [TestCase(60_000, false)]
    public void SteadyDatagram_AllocatesNothing(int size, bool connected)
    {
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        peer.Bind(AnyPort);
        using DatagramSocket socket = connected
            ? Reactor.ConnectDatagram(peer.LocalEndPoint!, new Echo())
            : Reactor.BindDatagram(AnyPort, new Echo());
        SocketAddress to = socket.LocalEndPoint!.Serialize();
        byte[] datagram = new byte[size];
        int rounds = 0;
        Exchange();

        Assert.That(Allocations.Least(Exchange), Is.Zero, $"bytes for {Datagrams} datagrams");
        Assert.That(socket.Statistics.Sent, Is.EqualTo(rounds * Datagrams));

        void Exchange()
        {
            rounds++;
            for (int i = 0; i < Datagrams; i++)
            {
                peer.SendTo(datagram, SocketFlags.None, to);
                while (peer.Available == 0)
                {
                    Reactor.RunOnce(TimeSpan.Zero);
                }

                peer.Receive(datagram);
            }
        }
    }

    private sealed class Echo : DatagramHandler
    {
        public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram) =>
            socket.TrySend(datagram, remote);
    }
}
