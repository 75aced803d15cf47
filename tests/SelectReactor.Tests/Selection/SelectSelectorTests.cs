using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

public sealed class SelectSelectorTests : SelectorFixture
{
    [Test]
    public void MaxIdleDelay_IsChecked()
    {
        using var selector = new SelectSelector { MaxIdleDelay = TimeSpan.FromMilliseconds(1) };
        selector.MaxIdleDelay = TimeSpan.FromSeconds(10);
        Assert.That(
            () => selector.MaxIdleDelay = TimeSpan.Zero,
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains(
                "SelectSelector.MaxIdleDelay must be from 1 ms to 10 s, not 00:00:00."));
        Assert.That(
            () => selector.MaxIdleDelay = TimeSpan.FromSeconds(11), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(selector.MaxIdleDelay, Is.EqualTo(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public void Bytes_MakeAKeyReadable()
    {
        (SocketHandle handle, Peer peer) = Connected();
        SelectionKey key = Register(handle, Interest.Read);
        AssertNothingIsReady();
        peer.Send([1]);

        SelectSome();

        Assert.That(Ready, Is.EqualTo(new[] { key }));
        Assert.That(key.Ready, Is.EqualTo(Interest.Read));
    }

    [Test]
    public void TheEndOfTheStream_AndAReset_MakeAKeyReadable([Values] bool reset)
    {
        (SocketHandle handle, Peer peer) = Connected();
        SelectionKey key = Register(handle, Interest.Read);
        if (reset)
        {
            peer.Reset();
        }
        else
        {
            peer.EndOutput();
        }

        SelectSome();

        Assert.That(key.Ready, Is.EqualTo(Interest.Read));
    }

    [Test]
    public void RoomInTheSendBuffer_MakesAKeyWritable_AndAFullOneDoesNot()
    {
        (SocketHandle handle, Peer peer) = Connected();
        SelectionKey key = Register(handle, Interest.Write);
        SelectSome();
        Assert.That(key.Ready, Is.EqualTo(Interest.Write));
        FillSendBuffer(handle);
        AssertNothingIsReady();

        byte[] sink = new byte[1 << 20];
        while (Ready.Count == 0)
        {
            peer.Socket.Receive(sink);
            Select(TimeSpan.Zero);
        }

        Assert.That(key.Ready, Is.EqualTo(Interest.Write));
    }

    [Test]
    public void ReadableAndWritable_IsReportedOnceWithBoth()
    {
        (SocketHandle handle, Peer peer) = Connected();
        SelectionKey key = Register(handle, Interest.Read | Interest.Write);
        peer.Send([1]);
        Assert.That(handle.Socket.Poll(Bound, SelectMode.SelectRead), Is.True);

        SelectSome();

        Assert.That(Ready, Is.EqualTo(new[] { key }));
        Assert.That(key.Ready, Is.EqualTo(Interest.Read | Interest.Write));
    }

    [Test]
    public void ThePeersConnection_MakesAListenerReadable()
    {
        using var listener = new SocketHandle(Peer.Listen());
        SelectionKey key = Register(listener, Interest.Read);
        Own(Peer.Connect(listener.LocalEndPoint!));

        SelectSome();

        Assert.That(key.Ready, Is.EqualTo(Interest.Read));
    }

    [Test]
    public void AConnectionAttempt_ShowsItsEnd([Values] bool refused)
    {
        using Socket listener = Peer.Listen();
        EndPoint endPoint = listener.LocalEndPoint!;
        if (refused)
        {
            listener.Dispose();
        }

        SocketHandle handle = Own(NewHandle());
        SocketError started = handle.Connect(endPoint);
        Assert.That(started, Is.AnyOf(SocketError.WouldBlock, SocketError.InProgress));
        SelectionKey key = Register(handle, Interest.Connect);

        SelectSome();

        Assert.That(key.Ready, Is.EqualTo(Interest.Connect));
        Assert.That(handle.TakeError(), Is.EqualTo(refused ? SocketError.ConnectionRefused : SocketError.Success));
    }

    [Test]
    public void AnInterestThatIsTakenBack_IsNotReported_AndComesBackWithIt()
    {
        (SocketHandle handle, Peer peer) = Connected();
        SelectionKey key = Register(handle, Interest.Read | Interest.Write);
        peer.Send([1]);
        Assert.That(handle.Socket.Poll(Bound, SelectMode.SelectRead), Is.True);
        (Interest Asked, Interest Found)[] steps =
        [
            (Interest.Write, Interest.Write),
            (Interest.Read, Interest.Read),
            (Interest.None, Interest.None),
            (Interest.Read | Interest.Write, Interest.Read | Interest.Write),
            (Interest.Connect, Interest.Connect),
            (Interest.Write, Interest.Write),
        ];
        foreach ((Interest asked, Interest found) in steps)
        {
            key.Interest = asked;
            Select(TimeSpan.Zero);
            Assert.That(key.Ready, Is.EqualTo(found), $"interest {asked}");
            Assert.That(Ready, Has.Count.EqualTo(found == Interest.None ? 0 : 1));
        }
    }

    [Test]
    public void ACancelledKey_IsNotReported()
    {
        (SocketHandle handle, Peer peer) = Connected();
        SelectionKey key = Register(handle, Interest.Read | Interest.Write);
        peer.Send([1]);
        key.Cancel();

        AssertNothingIsReady();
    }

    [Test]
    public void TheNextSelect_ClearsWhatTheLastFound()
    {
        (SocketHandle handle, Peer peer) = Connected();
        SelectionKey key = Register(handle, Interest.Read);
        peer.Send([1]);
        SelectSome();
        handle.Receive(new byte[10], out _);

        AssertNothingIsReady();

        Assert.That(key.Ready, Is.EqualTo(Interest.None));
    }

    [Test]
    public void AForeignHandle_IsRefused()
    {
        Handle foreign = new Mock<Handle>().Object;

        Assert.That(() => Register(foreign, Interest.Read), Throws.ArgumentException);
        AssertNothingIsReady();
    }

    [Test]
    public void OverCapacity_IsRefused_WhateverTheInterest()
    {
        SocketHandle handle = Own(NewHandle());
        var keys = new List<SelectionKey>();
        for (int i = 0; i < SelectSelector.Capacity; i++)
        {
            keys.Add(Register(handle, (i % 3) switch { 0 => Interest.None, 1 => Interest.Read, _ => Interest.Write }));
        }

        Assert.That(() => Register(handle, Interest.None), Throws.InvalidOperationException);
        Assert.That(() => Register(handle, Interest.Read), Throws.InvalidOperationException);
        keys[5].Cancel();
        Assert.That(() => Register(handle, Interest.Read), Throws.Nothing);
        Assert.That(() => Register(handle, Interest.None), Throws.InvalidOperationException, "it is full again");
    }

    [Test]
    public void TheFewestOfManyAreReady_OrMostOfThem([Range(1, 12)] int seed)
    {
        var random = new Random(seed);
        using Socket listener = Peer.Listen(backlog: 256);
        var ends = new List<(SelectionKey Key, Peer Peer)>();
        for (int i = 0; i < 200; i++)
        {
            Peer peer = Own(Peer.Connect(EndPointOf(listener)));
            ends.Add((Register(Own(new SocketHandle(listener.Accept())), Interest.Read), peer));
        }

        byte[] sink = new byte[10];
        for (int round = 0; round < 20; round++)
        {
            double share = random.Next(4) switch { 0 => 0, 1 => 1, _ => random.NextDouble() };
            foreach ((SelectionKey key, _) in ends)
            {
                key.Interest = (Interest)random.Next(4);
            }

            var sent = new HashSet<SelectionKey>();
            foreach ((SelectionKey key, Peer peer) in ends.Where(_ => random.NextDouble() < share))
            {
                peer.Send([1]);
                Assert.That(((SocketHandle)key.Handle).Socket.Poll(Bound, SelectMode.SelectRead), Is.True);
                sent.Add(key);
            }

            Select(TimeSpan.Zero);

            string message = $"seed {seed}, round {round}";
            Assert.That(Ready, Is.Unique, message);
            foreach ((SelectionKey key, _) in ends)
            {
                Interest found = sent.Contains(key) ? key.Interest : key.Interest & Interest.Write;
                Assert.That(key.Ready, Is.EqualTo(found), message);
                Assert.That(Ready.Contains(key), Is.EqualTo(found != Interest.None), message);
            }

            foreach (SelectionKey key in sent)
            {
                key.Handle.Receive(sink, out _);
            }
        }
    }

    private static SocketHandle NewHandle() =>
        new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
}
