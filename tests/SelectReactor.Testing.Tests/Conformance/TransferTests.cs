using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class TransferTests(string world) : ConformanceFixture(world)
{
    /// <summary>No more than the smallest buffers take while nobody reads.</summary>
    private static readonly byte[] _some = [.. Enumerable.Range(0, 90).Select(static i => (byte)(i * 7))];

    [Test]
    public void Bytes_ArriveInOrder_BothWays()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, _some);
        SendAll(server, [1, 2]);

        Assert.That(ReceiveAll(server, _some.Length), Is.EqualTo(_some));
        Assert.That(ReceiveAll(client, 2), Is.EqualTo(new byte[] { 1, 2 }));
        AssertNotReady(server, Interest.Read);
        AssertNotReady(client, Interest.Read);
    }

    [Test]
    public void NoBuffers_AreSentAsAnEmptyOne()
    {
        (Handle client, Handle server) = Pair();

        Assert.That(SendGathered(client, out int sent), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.Zero);
        AssertNotReady(server, Interest.Read);
    }

    [Test]
    public void Bytes_AreTakenInPiecesOfAnySize()
    {
        (Handle client, Handle server) = Pair();
        for (int done = 0, size = 1; done < _some.Length; size++)
        {
            int end = Math.Min(done + size, _some.Length);
            SendAll(client, _some[done..end]);
            done = end;
        }

        List<byte> received = [];
        for (int most = 5; received.Count < _some.Length; most = (most * 3 % 17) + 1)
        {
            (SocketError error, byte[] bytes) = Receive(server, most);
            Assert.That(error, Is.EqualTo(SocketError.Success));
            Assert.That(bytes, Has.Length.InRange(1, most));
            received.AddRange(bytes);
        }

        Assert.That(received, Is.EqualTo(_some));
    }

    [Test]
    public void Bytes_BeyondAllBuffers_ArriveInOrder_WhileThePeerReads()
    {
        (Handle client, Handle server) = Pair();
        byte[] all = new byte[100_000];
        new Random(1).NextBytes(all);
        byte[] buffer = new byte[all.Length];
        SelectionKey writer = Register(client, Interest.Write), reader = Register(server, Interest.Read);
        TimeSpan end = Now + Bound;
        int sent = 0, received = 0;
        while (received < all.Length && Now < end)
        {
            Select(Bound);
            if (writer.Ready != Interest.None)
            {
                client.Send(all.AsSpan(sent), out int some);
                sent += some;
                writer.Interest = sent < all.Length ? Interest.Write : Interest.None;
            }

            if (reader.Ready != Interest.None)
            {
                server.Receive(buffer.AsSpan(received), out int some);
                received += some;
            }
        }

        Assert.That(received, Is.EqualTo(all.Length));
        Assert.That(buffer, Is.EqualTo(all));
    }

    [Test]
    public void GatheredSend_KeepsTheOrder_AndSkipsEmptyBuffers()
    {
        (Handle client, Handle server) = Pair();
        ArraySegment<byte>[] buffers = [new([0, 1, 2], 1, 1), new([], 0, 0), new([3, 4, 5], 0, 2)];

        Assert.That(client.Send(buffers, out int sent), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.EqualTo(3));

        Assert.That(ReceiveAll(server, 3), Is.EqualTo(new byte[] { 1, 3, 4 }));
    }

    [Test]
    public void Receive_IntoNoRoom_TakesNothing()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1]);
        WaitFor(server, Interest.Read);

        Assert.That(server.Receive([], out int received), Is.EqualTo(SocketError.Success));
        Assert.That(received, Is.Zero);
        Assert.That(ReceiveAll(server, 1), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public void Receive_IntoNoRoom_WithNothingThere_IsWouldBlock()
    {
        Handle server = Pair().Server;

        Assert.That(server.Receive([], out int received), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(received, Is.Zero);
    }

    [Test]
    public void EmptySend_IsSuccess()
    {
        (Handle client, Handle server) = Pair();

        Assert.That(SendNothing(client), Is.EqualTo(SocketError.Success));
        Assert.That(SendGathered(client, out int sent, [], []), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.Zero);
        Settle();
        AssertNotReady(server, Interest.Read);
    }

    [Test]
    public void Send_OfMoreThanThereIsRoomFor_IsShort()
    {
        (Handle client, Handle server) = Pair();
        byte[] much = new byte[16 << 20];
        new Random(1).NextBytes(much);

        Assert.That(client.Send(much, out int sent), Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.InRange(1, much.Length - 1));

        Assert.That(ReceiveAll(server, sent), Is.EqualTo(much[..sent]));
    }

    [Test]
    public void Send_WithoutRoom_IsWouldBlock([Values] bool gathered)
    {
        Handle client = Pair().Client;
        Assert.That(Fill(client), Is.Positive);

        SocketError error = gathered ? SendGathered(client, out int sent, [1]) : client.Send([1], out sent);

        Assert.That((error, sent), Is.EqualTo((SocketError.WouldBlock, 0)));
        Assert.That(SendNothing(client), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void FullHandle_IsWritableAgain_AfterThePeerHasRead()
    {
        (Handle client, Handle server) = Pair();
        int sent = Fill(client);
        AssertNotReady(client, Interest.Write | Interest.Connect);

        Assert.That(ReceiveAll(server, sent), Has.Length.EqualTo(sent));

        WaitFor(client, Interest.Write);
        Assert.That(Send(client), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void FullHandle_StillReceives()
    {
        (Handle client, Handle server) = Pair();
        Fill(client);
        SendAll(server, [1]);

        Assert.That(ReceiveAll(client, 1), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public void OneBufferThatIsFull_DoesNotConcernAnotherConnection()
    {
        (Handle full, _) = Pair();
        (Handle client, Handle server) = Pair();
        Fill(full);

        SendAll(client, _some);

        Assert.That(ReceiveAll(server, _some.Length), Is.EqualTo(_some));
    }
}
