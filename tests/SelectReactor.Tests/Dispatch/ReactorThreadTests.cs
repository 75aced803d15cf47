using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

public sealed class ReactorThreadTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void FromConstructionOn_OtherThreadsAreRefused([Range(1, 20)] int round)
    {
        using var thread = new ReactorThread(Options());

        Assert.That(thread.Reactor.VerifyAccess, Throws.InvalidOperationException, $"round {round}");
        Assert.That(() => thread.Reactor.Listen(AnyPort, new ScriptedHandler()), Throws.InvalidOperationException);
    }

    [Test]
    public void DisposedAtOnce_CompletesWithoutAFault([Range(1, 50)] int round)
    {
        var log = new ListLogger();
        var thread = new ReactorThread(Options(logger: log));
        thread.Dispose();

        Assert.That(thread.Completion.IsCompletedSuccessfully, Is.True, $"round {round}");
        Assert.That(log.Entries, Is.Empty);
    }

    [Test]
    public void DisposedByManyThreads_EndsForEach()
    {
        var thread = new ReactorThread(Options());
        Task[] disposals = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(thread.Dispose))];

        Assert.That(Task.WaitAll(disposals, Bound), Is.True);
        Assert.That(thread.Completion.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void Dispose_ClosesConnectionsOnTheThreadAndWaitsForIt()
    {
        var thread = new ReactorThread(Options());
        using var connected = new ManualResetEventSlim();
        bool? onThread = null;
        var handler = new ScriptedHandler
        {
            Connected = _ => connected.Set(),
            Closed = (connection, _) => onThread = connection.Reactor.IsReactorThread,
        };
        Listener listener =
            thread.Reactor.InvokeAsync(() => thread.Reactor.Listen(AnyPort, handler)).WaitAsync(Bound).Result;
        using var peer = Peer.Connect(listener.LocalEndPoint);
        Assert.That(connected.Wait(Bound), Is.True);

        thread.Dispose();

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.ReactorStopped));
        Assert.That(onThread, Is.True);
        Assert.That(thread.Completion.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void DisposedOnItself_EndsWithoutWaitingForItself()
    {
        using var thread = new ReactorThread(Options());
        thread.Reactor.Post(thread.Dispose);

        Assert.That(thread.Completion.Wait(Bound));
        Assert.That(thread.Completion.IsCompletedSuccessfully);
    }

    [TestCase("shutdown")]
    [TestCase("stop")]
    [TestCase("fault")]
    public void AfterTheEndOfItsLoop_EverythingIsClosedOnTheThread_AndPostsAreRefused(string how)
    {
        var thread = new ReactorThread(Options(propagateExceptions: true));
        using var connected = new ManualResetEventSlim();
        bool? onThread = null;
        var handler = new ScriptedHandler
        {
            Connected = _ => connected.Set(),
            Closed = (connection, _) => onThread = connection.Reactor.IsReactorThread,
        };
        Listener listener =
            thread.Reactor.InvokeAsync(() => thread.Reactor.Listen(AnyPort, handler)).WaitAsync(Bound).Result;
        using var peer = Peer.Connect(listener.LocalEndPoint);
        Assert.That(connected.Wait(Bound));
        Task shutdown = Task.CompletedTask;
        switch (how)
        {
            case "shutdown":
                shutdown = thread.Reactor.ShutdownAsync(TimeSpan.Zero);
                break;
            case "stop":
                thread.Reactor.Stop();
                break;
            default:
                thread.Reactor.Post(static () => throw new InvalidDataException());
                break;
        }

        Assert.That(((IAsyncResult)thread.Completion).AsyncWaitHandle.WaitOne(Bound));
        Assert.That(thread.Completion.IsFaulted, Is.EqualTo(how == "fault"));
        Assert.That(shutdown.Wait(Bound));
        Assert.That((handler.CloseReason.Kind, onThread), Is.EqualTo((CloseKind.ReactorStopped, true)));
        Assert.That(() => thread.Reactor.Post(static () => { }), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(
            () => thread.Reactor.InvokeAsync(static () => 1).GetAwaiter().GetResult(),
            Throws.TypeOf<ObjectDisposedException>());
        thread.Dispose();
    }

    [Test]
    public void AnExceptionOfTheCallbacks_IsAFaultOfTheLoop_EvenWhenItSpeaksOfADisposedObject()
    {
        var log = new ListLogger();
        using var thread = new ReactorThread(Options(logger: log, propagateExceptions: true));
        thread.Reactor.Post(static () => throw new ObjectDisposedException("Something of the user's."));

        Assert.That(
            () => thread.Completion.WaitAsync(Bound).GetAwaiter().GetResult(),
            Throws.TypeOf<ObjectDisposedException>());
        Assert.That(
            log.Entries.Select(static entry => (entry.Level, entry.Id)), Is.EqualTo(new[] { (LogLevel.Critical, 6) }));
    }

    [Test]
    public void Callbacks_DoNotCarryTheAsyncLocalsOfTheMaker()
    {
        var local = new AsyncLocal<string?> { Value = "the maker's" };
        using var thread = new ReactorThread(Options());
        string? seen = "nothing";
        using var ran = new ManualResetEventSlim();
        thread.Reactor.Post(() =>
        {
            seen = local.Value;
            ran.Set();
        });

        Assert.That(ran.Wait(Bound));
        Assert.That(seen, Is.Null);
    }
}
