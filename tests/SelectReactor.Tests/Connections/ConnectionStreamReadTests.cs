using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Reading by <see cref="Connection.AsStream"/> on the reactor's thread.</summary>
public sealed class ConnectionStreamReadTests(SelectorKind selector) : StreamFixture(selector)
{
    private readonly byte[] _buffer = new byte[100];

    [Test]
    public void Read_TakesWhatHasArrived_AndLeavesTheRest()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Task<int> first = stream.ReadAsync(_buffer, 0, 3);
        RunSome();
        Assert.That(first.IsCompleted, Is.False);
        peer.Send("abcdef"u8);

        Assert.That(RunUntil(first), Is.EqualTo(3));
        Assert.That(_buffer[..3], Is.EqualTo("abc"u8.ToArray()));
        Task<int> second = stream.ReadAsync(_buffer, 0, 100);
        Assert.That(second.IsCompletedSuccessfully, "the rest is there");
        Assert.That(second.Result, Is.EqualTo(3));
        Assert.That(_buffer[..3], Is.EqualTo("def"u8.ToArray()));
    }

    [Test]
    public void ZeroByteRead_WaitsForData_AndConsumesNone()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Task<int> wait = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        RunSome();
        Assert.That(wait.IsCompleted, Is.False);
        peer.Send("abc"u8);
        Assert.That(RunUntil(wait), Is.Zero);
        Assert.That(stream.ReadAsync(Memory<byte>.Empty).AsTask().IsCompletedSuccessfully, "data is there");
        Assert.That(stream.Read([]), Is.Zero);

        Assert.That(stream.Read(_buffer), Is.EqualTo(3));
        Assert.That(() => stream.Read([]), Throws.InvalidOperationException, "no data is there");
        Task<int> end = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        peer.EndOutput();
        Assert.That(RunUntil(end), Is.Zero);
        Assert.That(stream.Read([]), Is.Zero);
    }

    [Test]
    public void CancelledRead_LosesNothing([Values] bool fromOtherThread)
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        for (int round = 0; round < 3; round++)
        {
            using var source = new CancellationTokenSource();
            Task<int> read = stream.ReadAsync(_buffer, source.Token).AsTask();
            if (fromOtherThread)
            {
                Task.Run(source.Cancel).Wait();
            }
            else
            {
                source.Cancel();
            }

            Assert.That(() => RunUntil(read), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(read.IsCanceled);
            peer.Send("abc"u8);
            Assert.That(RunUntil(stream.ReadAsync(_buffer, 0, 100)), Is.EqualTo(3), $"round {round}");
        }
    }

    [Test]
    public void ReadWithACancelledToken_ConsumesNothing()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        peer.Send("abc"u8);
        RunUntil(stream.ReadAsync(Memory<byte>.Empty).AsTask());
        Assert.That(stream.ReadAsync(_buffer, 0, 100, new CancellationToken(canceled: true)).IsCanceled);

        Assert.That(stream.Read(_buffer), Is.EqualTo(3));
    }

    [Test]
    public void SecondReadWhileOneWaits_Fails_AndTheFirstGoesOn()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Task<int> first = stream.ReadAsync(_buffer, 0, 100);
        Assert.That(() => stream.ReadAsync(new byte[1], 0, 1), Throws.InvalidOperationException);
        Assert.That(() => stream.Read(new byte[1]), Throws.InvalidOperationException);
        peer.Send("abc"u8);

        Assert.That(RunUntil(first), Is.EqualTo(3));
    }

    [Test]
    public void SynchronousRead_TakesWhatIsThere_AndDoesNotWait()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Assert.That(() => stream.Read(_buffer), Throws.InvalidOperationException.With.Message.Contains("ReadAsync"));
        Assert.That(stream.ReadByte, Throws.InvalidOperationException);
        peer.Send("abc"u8);
        peer.EndOutput();
        RunUntil(stream.ReadAsync(Memory<byte>.Empty).AsTask());

        Assert.That(stream.ReadByte(), Is.EqualTo('a'));
        Assert.That(stream.Read(_buffer, 5, 10), Is.EqualTo(2));
        Assert.That(_buffer[5..7], Is.EqualTo("bc"u8.ToArray()));
        RunSome();
        Assert.That(stream.Read(_buffer), Is.Zero);
        Assert.That(stream.ReadByte(), Is.EqualTo(-1));
    }

    [Test]
    public void EndOfStream_Is0_AgainAndAgain()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        peer.Send("abc"u8);
        peer.EndOutput();
        Assert.That(
            () => RunUntil(stream.ReadExactlyAsync(_buffer, 0, 4).AsTask()), Throws.TypeOf<EndOfStreamException>());
        for (int i = 0; i < 300; i++)
        {
            Assert.That(stream.ReadByte(), Is.EqualTo(-1), "without a tick between");
        }

        for (int i = 0; i < 300; i++)
        {
            Assert.That(RunUntil(stream.ReadAsync(_buffer, 0, 100)), Is.Zero);
        }
    }

    [Test]
    public void ZeroByteReads_MayBeAsManyAsTheyLike()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        peer.Send("abc"u8);
        RunUntil(stream.ReadAsync(Memory<byte>.Empty).AsTask());
        for (int i = 0; i < 300; i++)
        {
            Assert.That(stream.Read([]), Is.Zero);
        }

        RunOnLoop(async () =>
        {
            for (int i = 0; i < 300; i++)
            {
                Assert.That(await stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false), Is.Zero);
            }
        });

        Assert.That(stream.Read(_buffer), Is.EqualTo(3));
    }

    [Test]
    public void LoopThatForgetsTheEnd_DoesNotStopTheReactor()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        peer.EndOutput();
        Task? loop = null;
        Reactor.Post(() => loop = ReadForEverAsync());
        RunSome();
        Assert.That(loop!.IsCompleted, Is.False);
        connection.Abort();
        Assert.That(() => RunUntil(loop), Throws.TypeOf<IOException>());

        async Task ReadForEverAsync()
        {
            while (true)
            {
                await stream.ReadAtLeastAsync(_buffer, 1, throwOnEndOfStream: false);
            }
        }
    }

    [Test]
    public void ReadWhenThePeerResets_FailsWithTheReason([Values] bool waits)
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Task<int>? read = waits ? stream.ReadAsync(_buffer, 0, 100) : null;
        RunSome();
        peer.Reset();
        RunUntil(connection.Completion);
        read ??= stream.ReadAsync(_buffer, 0, 100);

        IOException? error = Assert.Throws<IOException>(() => RunUntil(read));
        Assert.That(error!.Message, Does.Contain(nameof(CloseKind.PeerReset)));
        Assert.That(error.InnerException, Is.TypeOf<SocketException>());
        Assert.That(() => stream.Read(_buffer), Throws.TypeOf<IOException>(), "and again");
    }

    [Test]
    public void ReadWhenThisSideCloses_FailsWithTheReason([Values] bool waits)
    {
        (Connection connection, _) = Accept();
        Stream stream = connection.AsStream();
        Task<int>? read = waits ? stream.ReadAsync(_buffer, 0, 100) : null;
        connection.Close();
        read ??= stream.ReadAsync(_buffer, 0, 100);

        Assert.That(
            () => RunUntil(read),
            Throws.TypeOf<IOException>().With.Message.Contains(nameof(CloseKind.Local)));
    }

    [Test]
    public void ReadThatSomebodyCancels_Throws_AndTheNextGoesOn()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        Task<int> read = stream.ReadAsync(_buffer, 0, 100);
        connection.Input.CancelPendingRead();
        Assert.That(() => RunUntil(read), Throws.InstanceOf<OperationCanceledException>());
        peer.Send("abc"u8);

        Assert.That(RunUntil(stream.ReadAsync(_buffer, 0, 100)), Is.EqualTo(3));
    }

    [Test]
    public void HandlerIsNotCalled_WhileAReadWaits()
    {
        var handler = new ScriptedHandler();
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.IsConnected);
        Task<int> read = handler.Connection.AsStream().ReadAsync(_buffer, 0, 100);
        peer.Send("abc"u8);
        Assert.That(RunUntil(read), Is.EqualTo(3));
        RunSome();
        Assert.That(handler.Events, Is.EqualTo(new[] { "OnConnected" }));
        peer.Send("de"u8);
        RunUntil(() => handler.Received.Count == 2);

        Assert.That(handler.Events, Is.EqualTo(new[] { "OnConnected", "OnReadable" }));
    }

    [Test]
    public void InputAndStream_MayTakeTurns()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream(leaveOpen: true);
        peer.Send("head,body,tail"u8);
        ReadResult result = RunUntil(connection.Input.ReadAsync().AsTask());
        Assert.That(() => stream.Read(_buffer), Throws.InvalidOperationException, "the input is being read");
        connection.Input.AdvanceTo(result.Buffer.GetPosition(5));
        Assert.That(RunUntil(stream.ReadAsync(_buffer, 0, 5)), Is.EqualTo(5));
        Assert.That(_buffer[..5], Is.EqualTo("body,"u8.ToArray()));

        Assert.That(connection.Input.TryRead(out result));
        Assert.That(result.Buffer.ToArray(), Is.EqualTo("tail"u8.ToArray()));
        connection.Input.AdvanceTo(result.Buffer.End);
    }

    [Test]
    public void BeginAndEndRead_AreAnAsynchronousRead()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        IAsyncResult? given = null;
        IAsyncResult read = stream.BeginRead(_buffer, 1, 10, result => given = result, "state");
        RunSome();
        Assert.That(read.IsCompleted, Is.False);
        peer.Send("abc"u8);
        RunUntil(() => given is not null);

        Assert.That(given, Is.SameAs(read));
        Assert.That(read.AsyncState, Is.EqualTo("state"));
        Assert.That(stream.EndRead(read), Is.EqualTo(3));
        Assert.That(_buffer[1..4], Is.EqualTo("abc"u8.ToArray()));
    }
}
