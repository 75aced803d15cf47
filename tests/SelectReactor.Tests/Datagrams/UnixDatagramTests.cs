using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Datagrams;

/// <summary>Unix-domain datagrams: they have names of files, block, and may be long.</summary>
[Platform("Linux")]
public sealed class UnixDatagramTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void Echo_BetweenTwoNames()
    {
        var server = new DatagramScript { Received = DatagramScript.Echo };
        var client = new DatagramScript();
        using DatagramSocket bound = Reactor.BindDatagram(NewName(), server);
        using DatagramSocket connected = Reactor.ConnectDatagram(
            bound.LocalEndPoint!, client, new DatagramOptions { LocalEndPoint = NewName() });

        Assert.That(connected.TrySend([1, 2]), Is.EqualTo(DatagramSendResult.Sent));
        RunUntil(() => client.Datagrams.Count == 1);

        Assert.That(client.Datagrams[0].Bytes, Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That(server.Datagrams[0].From.ToEndPoint(), Is.EqualTo(connected.LocalEndPoint));
    }

    /// <summary>Names of different lengths, and none, take turns in the same buffer.</summary>
    [Test]
    public void EachSender_IsOneKey()
    {
        string path = UnixFile.NewPath();
        UnixDomainSocketEndPoint[] names = [new(path + "a-longer-name"), new(path), new(path + "b-longer-name")];
        Dictionary<SocketAddress, int> counts = [];
        var server = new DatagramScript
        {
            Received = (_, remote, _) =>
                counts[counts.ContainsKey(remote) ? remote : remote.Copy()] = counts.GetValueOrDefault(remote) + 1,
        };
        using DatagramSocket bound = Reactor.BindDatagram(NewName(), server);
        using DatagramSocket nameless = Reactor.ConnectDatagram(bound.LocalEndPoint!, new DatagramScript());
        DatagramSocket[] senders =
            [.. names.Select(name => Reactor.BindDatagram(name, new DatagramScript())), nameless];
        SocketAddress to = bound.LocalEndPoint!.Serialize();
        int[] order = [0, 1, 3, 2, 1, 0, 2, 3, 1, 2, 0];
        foreach (int sender in order)
        {
            Assert.That(senders[sender].TrySend([1], to), Is.EqualTo(DatagramSendResult.Sent));
            RunUntil(() => counts.Values.Sum() == server.Datagrams.Count);
        }

        RunUntil(() => server.Datagrams.Count == order.Length);
        Assert.That(counts.Values, Is.EquivalentTo(new[] { 3, 3, 3, 2 }));
        foreach (UnixDomainSocketEndPoint name in names)
        {
            Assert.That(counts, Does.ContainKey(name.Serialize()));
        }
    }

    /// <summary>For those who use handles without a reactor.</summary>
    [Test]
    public void BehindASendersAddress_TheBufferIsZero()
    {
        UnixDomainSocketEndPoint name = NewName();
        Handle handle = Reactor.HandleFactory.CreateDatagram(AddressFamily.Unix);
        Assert.That(handle.Bind(name), Is.EqualTo(SocketError.Success));
        var sender = new SocketAddress(AddressFamily.Unix);
        sender.Buffer.Span[2..].Fill(7);
        using DatagramSocket other = Reactor.BindDatagram(NewName(), new DatagramScript());
        other.TrySend([1], name.Serialize());

        Assert.That(handle.ReceiveFrom(new byte[1], sender, out int received), Is.EqualTo(SocketError.Success));
        handle.Close();
        Assert.That(received, Is.EqualTo(1));
        Assert.That(sender.Size, Is.EqualTo(other.LocalEndPoint!.Serialize().Size));
        Assert.That(sender.Buffer[sender.Size..].ToArray(), Is.All.Zero);
    }

    [Test]
    public void ConnectedSocket_AnswersTheSenderThatItWasTold()
    {
        DatagramSendResult? answer = null;
        using DatagramSocket bound = Reactor.BindDatagram(
            NewName(), new DatagramScript { Received = DatagramScript.Echo });
        var client = new DatagramScript { Received = (socket, remote, _) => answer = socket.TrySend([2], remote) };
        using DatagramSocket connected = Reactor.ConnectDatagram(
            bound.LocalEndPoint!, client, new DatagramOptions { LocalEndPoint = NewName() });
        connected.TrySend([1]);
        RunUntil(() => answer is not null);

        Assert.That(answer, Is.EqualTo(DatagramSendResult.Sent));
    }

    [Test]
    public void SenderWithoutAName_CannotBeAnswered()
    {
        DatagramSendResult? answer = null;
        var server = new DatagramScript { Received = (socket, remote, _) => answer = socket.TrySend([1], remote) };
        using DatagramSocket bound = Reactor.BindDatagram(NewName(), server);
        using DatagramSocket connected = Reactor.ConnectDatagram(bound.LocalEndPoint!, new DatagramScript());
        Assert.That(connected.LocalEndPoint, Is.Null);

        connected.TrySend([1]);
        RunUntil(() => answer is not null);

        Assert.That(answer, Is.EqualTo(DatagramSendResult.Unreachable));
        Assert.That(() => server.Datagrams[0].From.ToEndPoint(), Throws.ArgumentException);
    }

    [Test]
    public void LongDatagram_IsDroppedAndTold_OrArrives_AsTheLimitSays([Values] bool fits)
    {
        const int Size = 100_000;
        var server = new DatagramScript();
        using DatagramSocket bound = Reactor.BindDatagram(
            NewName(), server, new DatagramOptions { MaxDatagramBytes = fits ? Size : Size - 1 });
        using DatagramSocket connected = Reactor.ConnectDatagram(bound.LocalEndPoint!, new DatagramScript());
        connected.TrySend(new byte[Size]);
        RunUntil(() => server.Datagrams.Count + server.Errors.Count == 1);

        Assert.That(server.Datagrams, Has.Count.EqualTo(fits ? 1 : 0));
        Assert.That(bound.Statistics.DroppedTooLong, Is.EqualTo(fits ? 0 : 1));
    }

    [Test]
    public void FullReceiver_Blocks_AndOnWritableTellsWhenThereIsRoom([Values] bool isConnected)
    {
        var client = new DatagramScript();
        using var reactor = new Reactor(Options());
        var server = new DatagramScript();
        using DatagramSocket bound = reactor.BindDatagram(NewName(), server);
        SocketAddress to = bound.LocalEndPoint!.Serialize();
        using DatagramSocket sender = isConnected
            ? Reactor.ConnectDatagram(bound.LocalEndPoint!, client)
            : Reactor.BindDatagram(NewName(), client);
        int sent = 0;
        DatagramSendResult result;
        while ((result = sender.TrySend([1], to)) == DatagramSendResult.Sent)
        {
            sent++;
        }

        Assert.That(result, Is.EqualTo(DatagramSendResult.WouldBlock));
        if (isConnected)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(30));
            Reactor.RunOnce(TimeSpan.FromMilliseconds(30));
            Assert.That(client.Writables, Is.Zero, "the receiver is still full");
        }

        RunUntil(reactor, () => server.Datagrams.Count == sent);
        RunUntil(() => client.Writables > 0);
        Assert.That(sender.TrySend([1], to), Is.EqualTo(DatagramSendResult.Sent));
    }

    [Test]
    public void ReceiverThatHasGone_IsUnreachable()
    {
        UnixDomainSocketEndPoint name = NewName();
        using DatagramSocket bound = Reactor.BindDatagram(name, new DatagramScript());
        using DatagramSocket connected = Reactor.ConnectDatagram(name, new DatagramScript());
        using DatagramSocket other = Reactor.BindDatagram(NewName(), new DatagramScript());
        bound.Close();

        Assert.That(connected.TrySend([1]), Is.EqualTo(DatagramSendResult.Unreachable));
        Assert.That(other.TrySend([1], name.Serialize()), Is.EqualTo(DatagramSendResult.Unreachable));
        Assert.That(File.Exists(name.ToString()), Is.False, "its file goes with the socket");
    }

    [Test]
    public void AbandonedFile_IsTakenOver_AndALiveOneIsNot()
    {
        UnixDomainSocketEndPoint name = NewName();
        UnixFile.Abandon(name.ToString()!);

        using DatagramSocket bound = Reactor.BindDatagram(name, new DatagramScript());
        Assert.That(
            () => Reactor.BindDatagram(name, new DatagramScript()),
            Throws.InstanceOf<SocketException>().With.Message.Contains("Another server listens there"));
    }

    private static UnixDomainSocketEndPoint NewName() => new(UnixFile.NewPath());
}
