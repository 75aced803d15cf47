using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>A stream used by threads that are not the reactor's: they may block, and never go on as the
/// loop.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Structure", "NUnit1032", Justification = "The reactor's thread ends the connection.")]
public sealed class ConnectionStreamThreadTests(SelectorKind selector) : ReactorFixture(selector)
{
    private const int Plenty = 16_000_000;
    private ReactorThread _thread = null!;
    private Connection _connection = null!;
    private Peer _peer = null!;

    [SetUp]
    public void Connect()
    {
        _thread = new ReactorThread(Options());
        var accepted = new TaskCompletionSource<Connection>(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new ServeHandler(connection =>
        {
            accepted.SetResult(connection);
            return connection.Completion;
        });
        Listener listener = InvokeOnLoop(() => _thread.Reactor.Listen(AnyPort, handler));
        _peer = Peer.Connect(listener.LocalEndPoint);
        _connection = accepted.Task.WaitAsync(Bound).GetAwaiter().GetResult();
    }

    [TearDown]
    public void Disconnect()
    {
        _peer.Dispose();
        _thread.Dispose();
    }

    [Test]
    public void SynchronousCalls_Block()
    {
        using Stream stream = _connection.AsStream();
        Task<byte[]> echo = Task.Run(() =>
        {
            byte[] bytes = _peer.Receive(9);
            _peer.Send("abc"u8);
            _peer.Send("d"u8);
            _peer.EndOutput();
            return bytes;
        });
        stream.Write("123"u8);
        stream.Write("x456x"u8.ToArray(), 1, 3);
        stream.WriteByte((byte)'7');
        stream.Flush();
        stream.Write("89"u8);
        byte[] buffer = new byte[10];
        stream.ReadExactly(buffer, 0, 2);
        stream.ReadExactly(buffer.AsSpan(2, 1));

        Assert.That(stream.Read([]), Is.Zero);
        Assert.That(stream.ReadByte(), Is.EqualTo('d'));
        Assert.That(stream.ReadByte(), Is.EqualTo(-1));
        Assert.That(stream.Read(buffer, 0, 10), Is.Zero);
        Assert.That(buffer[..3], Is.EqualTo("abc"u8.ToArray()));
        Assert.That(Within(echo), Is.EqualTo("123456789"u8.ToArray()));
    }

    [Test]
    public void SynchronousWrite_BlocksUntilThereIsRoom()
    {
        byte[] bytes = new byte[Plenty];
        new Random(1).NextBytes(bytes);
        Stream stream = _connection.AsStream();
        var write = Task.Run(() => stream.Write(bytes.AsSpan()));
        Assert.That(InvokeUntil(() => !_connection.IsWritable), "the queue has filled up");
        Assert.That(write.IsCompleted, Is.False);
        Assert.That(InvokeOnLoop(() => _connection.QueuedOutputBytes), Is.LessThanOrEqualTo(192 * 1024));

        Assert.That(_peer.Receive(Plenty).AsSpan().SequenceEqual(bytes));
        Within(write);
    }

    [Test]
    public void CodeThatAwaits_DoesNotGoOnAsTheLoop([Values] bool configured)
    {
        Within(Task.Run(async () =>
        {
            Stream stream = _connection.AsStream();
            byte[] buffer = new byte[10];
            for (int round = 0; round < 50; round++)
            {
                Task<int> read = stream.ReadAsync(buffer, 0, 10);
                _peer.Send("abc"u8);
                Assert.That(await read.ConfigureAwait(configured), Is.EqualTo(3));
                Assert.That(_thread.Reactor.IsReactorThread, Is.False, "after a read");
                await stream.WriteAsync("de"u8.ToArray()).ConfigureAwait(configured);
                Assert.That(_thread.Reactor.IsReactorThread, Is.False, "after a write");
                await stream.FlushAsync().ConfigureAwait(configured);
                Assert.That(_thread.Reactor.IsReactorThread, Is.False, "after a flush");
                Assert.That(_peer.Receive(2), Is.EqualTo("de"u8.ToArray()));
            }

            _peer.EndOutput();
            await stream.DisposeAsync().ConfigureAwait(configured);
            Assert.That(_thread.Reactor.IsReactorThread, Is.False, "after the end");
            Assert.That(_connection.State, Is.EqualTo(ConnectionState.Closed));
        }));
    }

    [Test]
    public void CodeThatLeftTheLoop_GoesOnElsewhere_AndCodeOnTheLoopComesBack()
    {
        Within(_thread.Reactor.InvokeAsync(async () =>
        {
            Stream stream = _connection.AsStream();
            await ExchangeAsync(stream);
            Assert.That(_thread.Reactor.IsReactorThread, Is.True, "the caller's await came back");
        }));

        async Task ExchangeAsync(Stream stream)
        {
            await Task.Run(static () => { }).ConfigureAwait(false);
            byte[] buffer = new byte[3];
            for (int round = 0; round < 3; round++)
            {
                await stream.WriteAsync("abc"u8.ToArray()).ConfigureAwait(false);
                byte[] sent = _peer.Receive(3);
                _peer.Send(sent);
                await stream.ReadExactlyAsync(buffer).ConfigureAwait(false);
                Assert.That(buffer, Is.EqualTo("abc"u8.ToArray()));
            }
        }
    }

    [Test]
    public void CancelledRead_LosesNothing()
    {
        Within(Task.Run(async () =>
        {
            Stream stream = _connection.AsStream();
            byte[] buffer = new byte[10];
            for (int round = 0; round < 50; round++)
            {
                using var source = new CancellationTokenSource();
                ValueTask<int> read = stream.ReadAsync(buffer, source.Token);
                await source.CancelAsync();
                Assert.That(async () => await read, Throws.InstanceOf<OperationCanceledException>());
                _peer.Send("abc"u8);
                Assert.That(await stream.ReadAsync(buffer), Is.EqualTo(3));
            }
        }));
    }

    [Test]
    public void ReaderAndWriter_WorkAtTheSameTime([Values] bool blocking)
    {
        byte[] bytes = new byte[Plenty];
        new Random(1).NextBytes(bytes);
        byte[] received = new byte[Plenty];
        Stream stream = _connection.AsStream();
        Task[] tasks =
        [
            Task.Run(() => _peer.Send(bytes)),
            Task.Run(() => Assert.That(_peer.Receive(Plenty).AsSpan().SequenceEqual(bytes))),
            blocking
                ? Task.Run(() => stream.Write(bytes))
                : Task.Run(async () => await stream.WriteAsync(bytes)),
            blocking
                ? Task.Run(() => stream.ReadExactly(received))
                : Task.Run(async () => await stream.ReadExactlyAsync(received)),
        ];
        Within(Task.WhenAll(tasks));

        Assert.That(received.AsSpan().SequenceEqual(bytes));
    }

    [Test]
    public void WritesOfManyThreads_AreNotMixed()
    {
        const int Writes = 20;
        const int Size = 300_000;
        Stream stream = _connection.AsStream();
        Task[] writers = [.. Enumerable.Range(1, 4).Select(number => Task.Run(async () =>
        {
            byte[] bytes = new byte[Size];
            Array.Fill(bytes, (byte)number);
            for (int i = 0; i < Writes; i++)
            {
                await stream.WriteAsync(bytes);
            }
        }))];
        for (int i = 0; i < 4 * Writes; i++)
        {
            Assert.That(_peer.Receive(Size).Distinct(), Has.Exactly(1).Items, $"write {i}");
        }

        Within(Task.WhenAll(writers));
    }

    [Test]
    public void Dispose_Closes_AndRefuses()
    {
        Stream stream = _connection.AsStream();
        Task<int> read = stream.ReadAsync(new byte[1], 0, 1);
        stream.Dispose();
        Assert.That(() => stream.Read(new byte[1]), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(async () => await read.WaitAsync(Bound), Throws.TypeOf<IOException>());
        Assert.That(_peer.ReceiveToEnd(), Is.Empty);
        _peer.EndOutput();

        Assert.That(Within(_connection.Completion).Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void ReactorThatEnds_EndsTheCallsThatWait_AndRefusesTheNext()
    {
        Stream stream = _connection.AsStream();
        var read = Task.Run(() => stream.ReadByte());
        var write = Task.Run(() => stream.Write(new byte[Plenty]));
        Assert.That(InvokeUntil(() => !_connection.IsWritable), "the write waits");
        _thread.Dispose();
        string reason = nameof(CloseKind.ReactorStopped);

        Assert.That(
            async () => await read.WaitAsync(Bound), Throws.TypeOf<IOException>().With.Message.Contains(reason));
        Assert.That(async () => await write.WaitAsync(Bound), Throws.TypeOf<IOException>());
        Assert.That(stream.ReadByte, Throws.TypeOf<IOException>().With.Message.Contains(reason));
        Assert.That(() => stream.WriteByte(1), Throws.TypeOf<IOException>().With.Message.Contains(reason));
        Assert.That(
            async () => await stream.WriteAsync(new byte[1]),
            Throws.TypeOf<IOException>().With.Message.Contains(reason));
        Assert.That(stream.Flush, Throws.Nothing);
        Assert.That(async () => await stream.FlushAsync(), Throws.Nothing);
        Assert.That(async () => await stream.DisposeAsync(), Throws.Nothing);
    }

    [Test]
    public void BeforeTheLoopRuns_ItsThreadWritesWithoutWaiting()
    {
        using System.Net.Sockets.Socket listener = Peer.Listen();
        using var peer = Peer.Connect(listener.LocalEndPoint!);
        Connection connection = Reactor.Adopt(
            listener.Accept(), new ServeHandler(static connection => connection.Completion), new ConnectionOptions());
        Stream stream = connection.AsStream();
        Assert.That(Reactor.IsReactorThread, Is.False);
        stream.Write("abc"u8);
        stream.Flush();
        Assert.That(() => stream.Read(new byte[1]), Throws.InvalidOperationException);
        Task<int> read = stream.ReadAsync(new byte[1], 0, 1);
        peer.Send("d"u8);

        Assert.That(RunUntil(read), Is.EqualTo(1));
        Assert.That(RunUntil(Task.Run(() => peer.Receive(3))), Is.EqualTo("abc"u8.ToArray()));
    }

    private T InvokeOnLoop<T>(Func<T> function) =>
        _thread.Reactor.InvokeAsync(function).WaitAsync(Bound).GetAwaiter().GetResult();

    private bool InvokeUntil(Func<bool> condition)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!InvokeOnLoop(condition))
        {
            if (System.Diagnostics.Stopwatch.GetElapsedTime(start) > Bound)
            {
                return false;
            }
        }

        return true;
    }

    private static void Within(Task task) => task.WaitAsync(Bound).GetAwaiter().GetResult();

    private static T Within<T>(Task<T> task) => task.WaitAsync(Bound).GetAwaiter().GetResult();
}
