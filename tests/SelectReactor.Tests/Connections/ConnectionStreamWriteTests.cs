using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Writing by <see cref="Connection.AsStream"/> on the reactor's thread.</summary>
public sealed class ConnectionStreamWriteTests(SelectorKind selector) : StreamFixture(selector)
{
    /// <summary>More than the two systems take.</summary>
    private const int Plenty = 16_000_000;

    [Test]
    public void Write_IsSent_WithoutAFlush()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        RunUntil(stream.WriteAsync("abc"u8.ToArray()).AsTask());
        stream.Write("def"u8);
        stream.WriteByte((byte)'g');
        stream.Write("xhix"u8.ToArray(), 1, 2);

        Assert.That(RunBeside(() => peer.Receive(9)), Is.EqualTo("abcdefghi"u8.ToArray()));
    }

    [Test]
    public void Write_WaitsForRoom_InBoundedMemory()
    {
        byte[] bytes = Noise(Plenty);
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Task write = stream.WriteAsync(bytes).AsTask();
        RunUntilQuiet();
        Assert.That(write.IsCompleted, Is.False);
        Assert.That(connection.QueuedOutputBytes, Is.GreaterThan(0).And.LessThanOrEqualTo(192 * 1024));

        Assert.That(RunBeside(() => peer.Receive(Plenty)).AsSpan().SequenceEqual(bytes));
        RunUntil(write);
    }

    [Test]
    public void WriteIntoASmallQueue_DoesNotExceedTheLimit()
    {
        byte[] bytes = Noise(1_000_000);
        (Connection connection, Peer peer) = Accept(new ConnectionOptions { MaxOutputBytes = 3_000 });
        Task write = connection.AsStream().WriteAsync(bytes).AsTask();

        Assert.That(RunBeside(() => peer.Receive(bytes.Length)).AsSpan().SequenceEqual(bytes));
        RunUntil(write);
    }

    [Test]
    public void WritesThatOverlap_FollowEachOther()
    {
        byte[] first = Noise(Plenty, 1);
        byte[] third = Noise(300_000, 3);
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        List<int> order = [];
        Task[] writes =
        [
            NoteAsync(stream.WriteAsync(first), 1),
            NoteAsync(stream.WriteAsync("second"u8.ToArray()), 2),
            NoteAsync(new ValueTask(stream.FlushAsync()), 3),
            NoteAsync(stream.WriteAsync(third), 4),
        ];
        RunSome();
        Assert.That(order, Is.Empty);
        byte[] all = RunBeside(() => peer.Receive(Plenty + 6 + third.Length));
        RunUntil(Task.WhenAll(writes));

        Assert.That(all.AsSpan(0, Plenty).SequenceEqual(first));
        Assert.That(all.AsSpan(Plenty, 6).ToArray(), Is.EqualTo("second"u8.ToArray()));
        Assert.That(all.AsSpan(Plenty + 6).SequenceEqual(third));
        Assert.That(order, Is.EqualTo(new[] { 1, 2, 3, 4 }));

        async Task NoteAsync(ValueTask write, int number)
        {
            await write.ConfigureAwait(false);
            order.Add(number);
        }
    }

    [Test]
    public void WriteThatFails_LetsTheNextHaveItsTurn()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        using var source = new CancellationTokenSource();
        Task first = stream.WriteAsync(new byte[Plenty], source.Token).AsTask();
        Task second = stream.WriteAsync("end"u8.ToArray()).AsTask();
        RunSome();
        source.Cancel();
        Assert.That(() => RunUntil(first), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(second.IsCompleted, Is.False);
        Task<byte[]> receiving = Task.Run(peer.ReceiveToEnd);
        RunUntil(second);
        connection.Close();
        byte[] all = RunUntil(receiving);

        Assert.That(all, Has.Length.LessThan(Plenty));
        Assert.That(all[^3..], Is.EqualTo("end"u8.ToArray()));
    }

    [Test]
    public void SynchronousWrite_PastTheLimit_IsRefused_AndTheConnectionGoesOn()
    {
        (Connection connection, Peer peer) = Accept(new ConnectionOptions { MaxOutputBytes = 100_000 });
        Stream stream = connection.AsStream();
        Assert.That(
            () => stream.Write(new byte[100_001]),
            Throws.TypeOf<IOException>()
                .With.Message.Contains(nameof(ConnectionOptions.MaxOutputBytes)).And.Message.Contains("WriteAsync"));
        stream.Write("abc"u8);
        RunSome();

        Assert.That(connection.State, Is.EqualTo(ConnectionState.Open));
        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("abc"u8.ToArray()));
    }

    [Test]
    public void SynchronousFlush_DoesNothing_AndFlushAsyncWaits()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        byte[] piece = new byte[1_000_000];
        int written = 0;
        while (connection.QueuedOutputBytes < 1_000_000)
        {
            stream.Write(piece);
            written += piece.Length;
            stream.Flush();
            RunUntilQuiet();
        }

        Task flush = stream.FlushAsync();
        RunUntilQuiet();
        Assert.That(flush.IsCompleted, Is.False);
        RunBeside(() => peer.Receive(written));
        RunUntil(flush);
        Assert.That(stream.FlushAsync().IsCompletedSuccessfully, "nothing waits any more");
    }

    [Test]
    public void SynchronousWriteWhileOneWaits_IsRefused()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Task write = stream.WriteAsync(new byte[Plenty]).AsTask();
        Assert.That(() => stream.Write("abc"u8), Throws.InvalidOperationException);
        RunBeside(() => peer.Receive(Plenty));
        RunUntil(write);
        stream.Write("abc"u8);

        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("abc"u8.ToArray()));
    }

    [Test]
    public void WriteAfterClose_Throws_AndFlushDoesNot()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        connection.Close();
        AssertWritesFail(stream, "closing");
        peer.EndOutput();
        RunUntil(connection.Completion);
        AssertWritesFail(stream, nameof(CloseKind.Local));
    }

    [Test]
    public void WriteAfterCloseOutput_Throws_AndFlushDoesNot()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        stream.Write("abc"u8);
        connection.CloseOutput();
        AssertWritesFail(stream, "ended");
        RunSome();
        AssertWritesFail(stream, "ended");

        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("abc"u8.ToArray()));
        Assert.That(connection.State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void WriteAfterAReset_Throws([Values(CloseKind.PeerReset, CloseKind.Aborted)] CloseKind kind)
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        if (kind == CloseKind.PeerReset)
        {
            peer.Reset();
        }
        else
        {
            connection.Abort();
        }

        RunUntil(connection.Completion);
        AssertWritesFail(stream, kind.ToString());
    }

    [Test]
    public void ResetWhileAWriteWaits_FailsThatWrite_AndThoseBehindIt()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Task[] writes =
        [
            stream.WriteAsync(new byte[Plenty]).AsTask(),
            stream.WriteAsync(new byte[1]).AsTask(),
            stream.WriteAsync(new byte[1_000_000]).AsTask(),
        ];
        RunSome();
        peer.Reset();
        foreach (Task write in writes)
        {
            Assert.That(() => RunUntil(write), Throws.TypeOf<IOException>());
        }
    }

    [Test]
    public void CloseWhileAWriteWaits_FailsIt_AndSendsWhatWasQueued()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        byte[] bytes = Noise(Plenty);
        Task write = stream.WriteAsync(bytes).AsTask();
        RunSome();
        connection.Close();
        Assert.That(() => RunUntil(write), Throws.TypeOf<IOException>());
        byte[] all = RunBeside(peer.ReceiveToEnd);

        Assert.That(all, Has.Length.LessThan(Plenty));
        Assert.That(all.AsSpan().SequenceEqual(bytes.AsSpan(0, all.Length)));
    }

    // The last piece of a write, which nothing but the flush can report.
    [Test]
    public void EndWhileOnlyTheFlushWaits_FailsTheWrite([Values] bool isReset)
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        while (connection.IsWritable)
        {
            stream.Write(new byte[1_000_000]);
            RunUntilQuiet();
        }

        Task write = stream.WriteAsync(new byte[10]).AsTask();
        Task flush = stream.FlushAsync();
        RunSome();
        Assert.That(write.IsCompleted || flush.IsCompleted, Is.False);
        if (isReset)
        {
            peer.Reset();
        }
        else
        {
            connection.Close();
        }

        Assert.That(() => RunUntil(write), Throws.TypeOf<IOException>());
        Assert.That(() => RunUntil(flush), Throws.TypeOf<IOException>());
    }

    [Test]
    public void WriteWithACancelledToken_WritesNothing()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        var cancelled = new CancellationToken(canceled: true);
        Assert.That(stream.WriteAsync("abc"u8.ToArray(), 0, 3, cancelled).IsCanceled);
        Assert.That(stream.FlushAsync(cancelled).IsCanceled);
        connection.Close();

        Assert.That(RunBeside(peer.ReceiveToEnd), Is.Empty);
    }

    [Test]
    public void BeginAndEndWrite_AreAnAsynchronousWrite()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        IAsyncResult write = stream.BeginWrite("xabcx"u8.ToArray(), 1, 3, callback: null, state: null);
        RunUntil(() => write.IsCompleted);
        stream.EndWrite(write);

        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("abc"u8.ToArray()));
    }

    private void AssertWritesFail(Stream stream, string reason)
    {
        Assert.That(() => stream.Write("x"u8), Throws.TypeOf<IOException>().With.Message.Contains(reason));
        Assert.That(
            () => RunUntil(stream.WriteAsync(new byte[1]).AsTask()),
            Throws.TypeOf<IOException>().With.Message.Contains(reason));
        Assert.That(
            () => RunUntil(stream.WriteAsync(new byte[1_000_000]).AsTask()),
            Throws.TypeOf<IOException>().With.Message.Contains(reason));
        Assert.That(stream.Flush, Throws.Nothing);
        Assert.That(stream.FlushAsync().IsCompletedSuccessfully);
    }
}
