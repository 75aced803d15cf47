using System.Buffers;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Peers that mean harm, or do it all the same.</summary>
public sealed class HostilePeerTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private static readonly byte[] _flood = new byte[256 * 1024];

    [Test]
    public void OutOfBandByte_IsIgnored_AndSpinsNothing()
    {
        Peer peer = Connect();
        peer.Socket.Send([1], SocketFlags.OutOfBand);
        RunSome();
        int served = 0;
        for (int i = 0; i < 5; i++)
        {
            served += Reactor.RunOnce(TimeSpan.FromMilliseconds(5));
        }

        Assert.That(served, Is.Zero);
        peer.Send("ab"u8);
        RunUntil(() => Handler.Received.Count >= 2);
        Assert.That(Handler.Received, Is.EqualTo("ab"u8.ToArray()));
        Assert.That(Handler.IsClosed, Is.False);
    }

    [Test]
    public void Flood_LeavesTheOthersTheirTurnInEachTick()
    {
        Peer flooding = Connect();
        flooding.Socket.Blocking = false;
        List<(Peer Peer, Connection Connection)> others = [];
        for (int i = 0; i < 10; i++)
        {
            Peer peer = Connect();
            others.Add((peer, Connection));
        }

        for (int round = 1; round <= 20; round++)
        {
            while (flooding.Socket.Send(_flood, SocketFlags.None, out _) > 0)
            {
            }

            others.ForEach(static other => other.Peer.Send([1]));
            Reactor.RunOnce(TimeSpan.Zero);
            Assert.That(
                others.Select(static other => other.Connection.Statistics.BytesReceived), Is.All.EqualTo(round));
        }

        Assert.That(
            Handler.Connections[0].Statistics.BytesReceived, Is.InRange(1, 20 * 128 * 1024), "one receive a tick");
    }

    [Test]
    public void FastReader_LetsAHandlerThatOnlyWrites_SendABoundedPartATick()
    {
        Peer peer = Connect(new ConnectionOptions { OutputHighWaterMark = 1, OutputLowWaterMark = 0 });
        var reading = Task.Run(() =>
        {
            byte[] buffer = new byte[1024 * 1024];
            while (peer.Socket.Receive(buffer) > 0)
            {
            }
        });
        for (int i = 0; i < 20; i++)
        {
            long before = Connection.Statistics.BytesSent;
            while (Connection.QueuedOutputBytes == 0)
            {
                Connection.Output.Write(_flood);
            }

            Assert.That(Connection.Statistics.BytesSent - before, Is.LessThan(2 * 1024 * 1024));
            RunUntil(() => Connection.QueuedOutputBytes == 0);
        }

        Connection.Close();
        peer.EndOutput();
        RunUntilClosed();
        RunUntil(reading);
    }

    [Test]
    public void ByteByByte_TheSameComesBack()
    {
        Handler.Readable = ScriptedHandler.Echo;
        Peer peer = Connect();
        byte[] bytes = new byte[500];
        Random.Shared.NextBytes(bytes);
        byte[] back = RunBeside(() =>
        {
            byte[] all = new byte[bytes.Length];
            for (int i = 0; i < bytes.Length; i++)
            {
                peer.Send(bytes.AsSpan(i, 1));
                all[i] = peer.Receive(1)[0];
            }

            return all;
        });

        Assert.That(back, Is.EqualTo(bytes));
    }

    [Test]
    public void PeerThatSendsOnAfterTheClose_IsCutAtTheBound()
    {
        Peer peer = Connect(
            new ConnectionOptions { MaxLingerBytes = 100_000, LingerTimeout = TimeSpan.FromMinutes(1) });
        Connection.TryWrite("bye"u8);
        Connection.Close();
        peer.Socket.Blocking = false;
        long sent = 0;
        RunUntil(() =>
        {
            sent += Math.Max(0, peer.Socket.Send(_flood, SocketFlags.None, out _));
            return Handler.IsClosed;
        });

        Assert.That(Handler.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
        Assert.That(sent, Is.GreaterThan(100_000));
    }

    [Test]
    public void ResetAtEveryStep_LeavesNothing()
    {
        Action<Peer>[] steps =
        [
            static _ => { },
            static peer => peer.Send("x"u8),
            static peer => peer.EndOutput(),
            static peer => peer.Send(new byte[300_000]),
        ];
        Handler.Readable = ScriptedHandler.Echo;
        foreach (Action<Peer> step in steps)
        {
            for (int ticks = 0; ticks < 4; ticks++)
            {
                var peer = Peer.Connect(Listener.LocalEndPoint);
                Step(ticks);
                RunBeside(() =>
                {
                    step(peer);
                    return true;
                });
                Step(ticks);
                peer.Reset();
                RunUntil(
                    () => Listener.ConnectionCount == 0 && Handler.Connections.Count == Handler.CloseReasons.Count);
            }
        }

        Assert.That(Handler.Connections, Has.Count.EqualTo(16));
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);

        void Step(int ticks)
        {
            for (int i = 0; i < ticks; i++)
            {
                Reactor.RunOnce(TimeSpan.Zero);
            }
        }
    }
}
