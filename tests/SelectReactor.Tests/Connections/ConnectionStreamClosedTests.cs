using SelectReactor.Connections;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Calls of other threads while nobody runs the loop: on a connection that is closed they end, on one that is
/// open they wait for the loop.</summary>
public sealed class ConnectionStreamClosedTests(SelectorKind selector) : StreamFixture(selector)
{
    [Test]
    public void CallsOnAClosedConnection_NeedNoLoop()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        peer.Send("abc"u8);
        connection.Close();
        peer.EndOutput();
        RunUntil(connection.Completion);

        AssertFails(() => stream.ReadExactly(new byte[1]));
        AssertFails(() => stream.ReadExactly(new byte[1], 0, 1));
        AssertFails(() => stream.ReadByte());
        AssertFails(() => stream.Write(new byte[1]));
        AssertFails(() => stream.Write(new byte[1], 0, 1));
        AssertFails(() => stream.ReadAsync(new byte[1], 0, 1).GetAwaiter().GetResult());
        AssertFails(() => stream.WriteAsync(new byte[1]).AsTask().GetAwaiter().GetResult());
        Elsewhere(() =>
        {
            stream.Flush();
            stream.FlushAsync().GetAwaiter().GetResult();
            stream.Dispose();
            stream.DisposeAsync().AsTask().GetAwaiter().GetResult();
        });
    }

    [Test]
    public void ReadAtTheEnd_OfAClosedConnection_Is0_AsOnTheLoop()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        connection.CloseOutput();
        peer.EndOutput();
        RunUntil(connection.Completion);
        Assert.That(stream.Read(new byte[1]), Is.Zero, "on the loop");

        Elsewhere(() =>
        {
            Assert.That(stream.Read(new byte[1]), Is.Zero);
            Assert.That(stream.ReadAsync(new byte[1], 0, 1).GetAwaiter().GetResult(), Is.Zero);
        });
    }

    [Test]
    public void ThreadThatWrites_EndsWithTheShutdown_ThoughTheReactorIsNotDisposed()
    {
        using var reactor = new Reactor(Options());
        Exception? error = null;
        using var worked = new ManualResetEventSlim();
        Thread? worker = null;
        Listener listener = reactor.Listen(AnyPort, new ServeHandler(connection =>
        {
            Stream stream = connection.AsStream();
            worker = new Thread(() =>
            {
                try
                {
                    while (true)
                    {
                        stream.Write("tick"u8);
                        worked.Set();
                    }
                }
                catch (IOException exception)
                {
                    error = exception;
                }
            });
            worker.Start();
            return connection.Completion;
        }));
        using var peer = Peer.Connect(listener.LocalEndPoint);
        var shutdown = Task.Run(async () =>
        {
            worked.Wait();
            await reactor.ShutdownAsync(TimeSpan.Zero);
        });
        reactor.Run();
        Assert.That(worker!.Join(Bound), "the worker has ended");
        Assert.That(error, Is.Not.Null);
        Elsewhere(() => shutdown.GetAwaiter().GetResult());
    }

    [Test]
    public void CallThatWaitsForTheLoop_CanBeCancelled([Values("read", "write", "flush")] string what)
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        using var source = new CancellationTokenSource();
        Task call = RunElsewhere(() => what switch
        {
            "read" => stream.ReadAsync(new byte[1], source.Token).AsTask(),
            "write" => stream.WriteAsync("lost"u8.ToArray(), source.Token).AsTask(),
            _ => stream.FlushAsync(source.Token),
        });
        Assert.That(call.IsCompleted, Is.False);
        source.Cancel();
        Assert.That(call.IsCanceled);
        peer.Send("abc"u8);
        RunSome();
        stream.Write("def"u8);

        Assert.That(RunUntil(stream.ReadAsync(new byte[10], 0, 10)), Is.EqualTo(3));
        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("def"u8.ToArray()));
    }

    [Test]
    public void CallThatWaitsForTheLoop_BeginsWithIt()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        var write = Task.Run(() => stream.Write("abc"u8));
        RunUntil(write);

        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("abc"u8.ToArray()));
    }

    [Test]
    public void CallThatIsTakenBack_DoesNotBegin_AndOneThatHasBegunCannotBe()
    {
        Reactor.RunOnce(TimeSpan.Zero);
        int begun = 0;
        ForeignCall call = RunElsewhere(() => ForeignCall.TryBegin(Reactor, Operation, CancellationToken.None))!;
        Assert.That(call.TryAbandon());
        RunSome();
        Assert.That(begun, Is.Zero);
        Assert.That(call.TryAbandon(), Is.False);

        call = RunElsewhere(() => ForeignCall.TryBegin(Reactor, Operation, CancellationToken.None))!;
        Assert.That(RunUntil(call.Task), Is.EqualTo(1));
        Assert.That(call.TryAbandon(), Is.False);

        ValueTask<int> Operation() => ValueTask.FromResult(++begun);
    }

    private static void AssertFails(Action call) => Elsewhere(() => Assert.That(
        () => call(), Throws.TypeOf<IOException>().With.Message.Contains(nameof(CloseKind.Local))));

    private static void Elsewhere(Action code) => Task.Run(code).WaitAsync(Bound).GetAwaiter().GetResult();

    private static T RunElsewhere<T>(Func<T> code) => Task.Run(code).WaitAsync(Bound).GetAwaiter().GetResult();
}
