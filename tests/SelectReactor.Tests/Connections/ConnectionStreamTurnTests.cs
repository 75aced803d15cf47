using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Writes of streams that wait for others: for those before them, or for those of
/// <see cref="Connection.Output"/>.</summary>
public sealed class ConnectionStreamTurnTests(SelectorKind selector) : StreamFixture(selector)
{
    /// <summary>More than the two systems take.</summary>
    private const int Plenty = 16_000_000;

    [Test]
    public void WriteThatWaitsForItsTurn_CanBeCancelled([Values] bool fromOtherThread, [Values] bool isFlush)
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        using var source = new CancellationTokenSource();
        Task first = stream.WriteAsync(new byte[Plenty]).AsTask();
        Task second = isFlush
            ? stream.FlushAsync(source.Token)
            : stream.WriteAsync("second"u8.ToArray(), source.Token).AsTask();
        Task third = stream.WriteAsync("third"u8.ToArray()).AsTask();
        if (fromOtherThread)
        {
            Task.Run(source.Cancel).Wait();
        }
        else
        {
            source.Cancel();
        }

        Assert.That(
            () => RunUntil(second),
            Throws.InstanceOf<OperationCanceledException>()
                .With.Property(nameof(OperationCanceledException.CancellationToken)).EqualTo(source.Token));
        Assert.That(first.IsCompleted || third.IsCompleted, Is.False);
        byte[] all = RunBeside(() => peer.Receive(Plenty + 5));
        RunUntil(Task.WhenAll(first, third));
        Assert.That(all[Plenty..], Is.EqualTo("third"u8.ToArray()));
    }

    [Test]
    public void CancelledTurns_AreForgotten_AndATokenThatComesLateChangesNothing()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        using var late = new CancellationTokenSource();
        using var early = new CancellationTokenSource();
        Task first = stream.WriteAsync(new byte[Plenty]).AsTask();
        Task[] cancelled =
            [.. Enumerable.Range(0, 100).Select(_ => stream.WriteAsync(new byte[1], early.Token).AsTask())];
        Task last = stream.WriteAsync("end"u8.ToArray(), late.Token).AsTask();
        early.Cancel();
        RunUntil(() => cancelled.All(static task => task.IsCanceled), "the cancelled writes");
        byte[] all = RunBeside(() => peer.Receive(Plenty + 3));
        RunUntil(Task.WhenAll(first, last));
        late.Cancel();
        RunUntil(stream.WriteAsync("next"u8.ToArray()).AsTask());

        Assert.That(all[Plenty..], Is.EqualTo("end"u8.ToArray()));
        Assert.That(RunBeside(() => peer.Receive(4)), Is.EqualTo("next"u8.ToArray()));
    }

    [Test]
    public void WritesOfTwoStreams_FollowEachOther()
    {
        byte[] first = Noise(Plenty, 1);
        byte[] third = Noise(300_000, 3);
        (Connection connection, Peer peer) = Accept();
        Stream one = connection.AsStream();
        Stream other = connection.AsStream(leaveOpen: true);
        Task[] writes =
        [
            one.WriteAsync(first).AsTask(),
            other.WriteAsync("second"u8.ToArray()).AsTask(),
            connection.AsStream().WriteAsync(third).AsTask(),
            other.FlushAsync(),
        ];
        Assert.That(() => other.Write("x"u8), Throws.InvalidOperationException, "a write of another stream waits");
        byte[] all = RunBeside(() => peer.Receive(Plenty + 6 + third.Length));
        RunUntil(Task.WhenAll(writes));

        Assert.That(all.AsSpan(0, Plenty).SequenceEqual(first));
        Assert.That(all.AsSpan(Plenty, 6).ToArray(), Is.EqualTo("second"u8.ToArray()));
        Assert.That(all.AsSpan(Plenty + 6).SequenceEqual(third));
    }

    [Test]
    public void OutputBesideAStreamsWrite_IsRefused_AndQueuesNothing()
    {
        (Connection connection, Peer peer) = Accept();
        Task write = connection.AsStream().WriteAsync(new byte[Plenty]).AsTask();
        RunUntilQuiet();
        long queued = connection.QueuedOutputBytes;
        Assert.That(
            () => RunUntil(connection.Output.WriteAsync(new byte[1234]).AsTask()),
            Throws.InvalidOperationException.With.Message.Contains("Nothing was queued"));
        Assert.That(
            () => RunUntil(connection.Output.FlushAsync().AsTask()), Throws.InvalidOperationException);
        Assert.That(connection.QueuedOutputBytes, Is.EqualTo(queued));

        RunBeside(() => peer.Receive(Plenty));
        RunUntil(write);
        RunUntil(connection.Output.WriteAsync("abc"u8.ToArray()).AsTask());
        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("abc"u8.ToArray()));
    }

    [Test]
    public void StreamBesideAFlushOfTheOutput_IsRefused_AndQueuesNothing([Values(10, 1_000_000)] int size)
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        int filling = 0;
        while (connection.IsWritable)
        {
            stream.Write(new byte[1_000_000]);
            filling += 1_000_000;
            RunUntilQuiet();
        }

        Task flush = connection.Output.FlushAsync().AsTask();
        long queued = connection.QueuedOutputBytes;
        Assert.That(
            () => RunUntil(stream.WriteAsync(new byte[size]).AsTask()), Throws.InvalidOperationException);
        Assert.That(connection.QueuedOutputBytes, Is.EqualTo(queued));
        Assert.That(flush.IsCompleted, Is.False);

        RunBeside(() => peer.Receive(filling));
        RunUntil(flush);
        RunUntil(stream.WriteAsync("abc"u8.ToArray()).AsTask());
        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("abc"u8.ToArray()));
    }

    // More than the rounds that the reactor's end has.
    [Test]
    public void WritesThatWait_AllEndWithTheReactor_OnItsThread()
    {
        (Connection connection, _) = Accept();
        Stream stream = connection.AsStream();
        int thread = Environment.CurrentManagedThreadId;
        int failed = 0;
        int elsewhere = 0;
        for (int i = 0; i < 3_000; i++)
        {
            _ = WriteAsync(i == 0 ? Plenty : 10);
        }

        RunSome();
        Assert.That(failed, Is.Zero);
        Reactor.Dispose();
        Assert.That((failed, elsewhere), Is.EqualTo((3_000, 0)));

        async Task WriteAsync(int size)
        {
            try
            {
                await stream.WriteAsync(new byte[size]).ConfigureAwait(false);
            }
            catch (IOException)
            {
                failed++;
                elsewhere += Environment.CurrentManagedThreadId == thread ? 0 : 1;
            }
        }
    }
}
