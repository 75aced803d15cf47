using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

public sealed class OutputTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private static readonly byte[] _chunk = new byte[10_000];

    [Test]
    public void AdvancedBytes_LeaveWithoutAFlush()
    {
        Peer peer = Connect();
        Span<byte> room = Connection.Output.GetSpan(3);
        "abc"u8.CopyTo(room);
        Connection.Output.Advance(3);
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(peer.Receive(3), Is.EqualTo("abc"u8.ToArray()));
        Assert.That(Connection.QueuedOutputBytes, Is.Zero);
    }

    [Test]
    public void WriterThatStopsAtItsMark_IsToldToGoOn_WhateverTheMark([Values(16, 64, 256)] int kibibytes)
    {
        int mark = kibibytes * 1024;
        int blocks = 0;
        Handler.Connected = Handler.Writable = connection => blocks += connection.TryWrite(new byte[mark]) ? 1 : 0;
        Peer peer = Connect(new ConnectionOptions { OutputHighWaterMark = mark });
        var drain = Task.Run(() => peer.Receive(50 * mark));
        RunUntil(() => blocks >= 50);
        RunUntil(drain);
    }

    [Test]
    public void FlushAsync_RightAfterALargeBatch_CompletesAtOnce_WhenThePeerHasRoom()
    {
        Connect();
        Connection.Output.Write(new byte[64 * 1024]);

        Assert.That(Connection.QueuedOutputBytes, Is.Zero);
        Assert.That(Connection.Output.FlushAsync().AsTask().IsCompleted);
        Assert.That(Connection.IsWritable);
    }

    [Test]
    public void MemoryHeldAcrossTicks_IsSentWhenItIsAdvanced()
    {
        Peer peer = Connect();
        Connection.TryWrite("first "u8);
        Memory<byte> held = Connection.Output.GetMemory(6);
        RunSome();
        "second"u8.CopyTo(held.Span);
        Connection.Output.Advance(6);
        RunSome();

        Assert.That(peer.Receive(12), Is.EqualTo("first second"u8.ToArray()));
    }

    [Test]
    public void OnWritable_ComesOnceForEachCrossing()
    {
        Peer peer = Connect();
        int crossings = 0;
        for (int round = 0; round < 3; round++)
        {
            crossings += FillUp();
            Assert.That(CountOnWritable(), Is.EqualTo(crossings));
            var drain = Task.Run(() => ReceiveAll(peer));
            RunUntil(() => Connection.QueuedOutputBytes == 0);
            RunUntil(drain);
            RunSome();
            Assert.That(CountOnWritable(), Is.EqualTo(++crossings));
        }

        int CountOnWritable() => Handler.Events.Count(static name => name == "OnWritable");
    }

    [Test]
    public void FlushAsync_WaitsAboveTheMark_AndCompletesBelow()
    {
        Peer peer = Connect();
        FillUp();
        Task<FlushResult> flush = Connection.Output.FlushAsync().AsTask();
        RunSome();
        Assert.That(flush.IsCompleted, Is.False);

        var drain = Task.Run(() => ReceiveAll(peer));
        FlushResult result = RunUntil(flush);
        Assert.That((result.IsCanceled, result.IsCompleted), Is.EqualTo((false, false)));
        Assert.That(Connection.IsWritable);
        RunUntil(() => Connection.QueuedOutputBytes == 0);
        RunUntil(drain);
    }

    [Test]
    public void TryWrite_OverTheLimit_RefusesAndQueuesNothing()
    {
        Connect(new ConnectionOptions { MaxOutputBytes = 20_000 });
        Assert.That(Connection.TryWrite(new byte[20_001]), Is.False);
        Assert.That(Connection.QueuedOutputBytes, Is.Zero);
        Assert.That(Connection.TryWrite(new byte[20_000]));
        Assert.That(Connection.TryWrite(new byte[1]), Is.False);
        Assert.That(Connection.QueuedOutputBytes, Is.EqualTo(20_000));
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void WritingOverTheLimit_Closes_AndKeepsNothingOfWhatTheCallbackWritesOn()
    {
        Connect(new ConnectionOptions { MaxOutputBytes = 100_000 });
        int most = 0;
        for (int i = 0; i < 1000; i++)
        {
            Connection.Output.Write(_chunk);
            most = Math.Max(most, Reactor.Buffers.Outstanding);
        }

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.LimitExceeded));

        // Where the system tells, the bytes that it took and the peer did not acknowledge count too.
        Assert.That(reason.UnsentBytes, Is.InRange(100_001, 110_000 + Connection.Statistics.BytesSent));
        Assert.That(reason.Error!.Message, Does.Contain("MaxOutputBytes"));
        Assert.That(most, Is.LessThan(10), "segments");
    }

    [Test]
    public void WritesAfterAnAbort_AreSwallowed()
    {
        Connect();
        Memory<byte> held = Connection.Output.GetMemory(5);
        Connection.Abort();
        Connection.Output.Advance(Math.Min(5, held.Length));
        Connection.Output.Write(_chunk);
        Assert.That(Connection.TryWrite(_chunk), Is.False);
        Assert.That(RunUntil(Connection.Output.FlushAsync().AsTask()).IsCompleted);
        RunUntilClosed();

        Connection.Output.Write(_chunk);
        Assert.That(RunUntil(Connection.Output.FlushAsync().AsTask()).IsCompleted);
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void WritesAfterClose_AreDropped_SinceAnotherMayHaveClosed()
    {
        Peer peer = Connect();
        Connection.TryWrite("before"u8);
        Connection.Close();

        Assert.That(() => Connection.Output.Write("after"u8), Throws.Nothing);
        Assert.That(Connection.Output.FlushAsync().AsTask().Result.IsCompleted);
        Assert.That(Connection.TryWrite("after"u8), Is.False);
        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("before"u8.ToArray()));
    }

    [Test]
    public void CompleteIsCloseOutput_AndWithAnErrorAbort()
    {
        Peer peer = Connect();
        Connection.TryWrite("end"u8);
        Connection.Output.Complete();
        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("end"u8.ToArray()));
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Open));

        var error = new InvalidDataException("why");
        Connect();
        Connection.Output.Complete(error);
        CloseReason reason = RunUntilClosed();
        Assert.That((reason.Kind, reason.Error), Is.EqualTo((CloseKind.Aborted, (Exception)error)));
    }

    [Test]
    public void NaiveEcho_AgainstAPeerThatNeverReads_HoldsBoundedMemory()
    {
        Handler.Readable = ScriptedHandler.Echo;
        Peer peer = Connect();
        peer.Socket.Blocking = false;
        long sent = 0;
        long most = 0;
        for (int quiet = 0; quiet < 20;)
        {
            int count = peer.Socket.Send(_chunk, System.Net.Sockets.SocketFlags.None, out _);
            sent += count;
            quiet = count == 0 ? quiet + 1 : 0;
            Reactor.RunOnce(TimeSpan.FromMilliseconds(2));
            most = Math.Max(most, Connection.QueuedOutputBytes);
        }

        Assert.That(sent, Is.GreaterThan(most));
        Assert.That(most, Is.InRange(64 * 1024, 192 * 1024), "the high-water mark and one receive");
        Assert.That(Connection.State, Is.EqualTo(ConnectionState.Open));
    }

    private static void ReceiveAll(Peer peer)
    {
        byte[] buffer = new byte[64 * 1024];
        while (peer.Socket.Poll(200_000, System.Net.Sockets.SelectMode.SelectRead))
        {
            peer.Socket.Receive(buffer);
        }
    }

    // Until the system takes no more and the queue stays above its mark; tells how often it fell below on the way.
    private int FillUp()
    {
        for (int crossings = 0; ; crossings++)
        {
            while (Connection.IsWritable)
            {
                Assert.That(Connection.TryWrite(_chunk));
            }

            RunSome();
            if (!Connection.IsWritable)
            {
                return crossings;
            }
        }
    }
}
