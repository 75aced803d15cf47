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
        Listener listener = thread.Reactor.InvokeAsync(() => thread.Reactor.Listen(AnyPort, handler)).WaitAsync(Bound).Result;
        using var peer = Peer.Connect(listener.LocalEndPoint);
        Assert.That(connected.Wait(Bound), Is.True);

        thread.Dispose();

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.ReactorStopped));
        Assert.That(onThread, Is.True);
        Assert.That(thread.Completion.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void AfterShutdown_TheThreadEndsByItself()
    {
        using var thread = new ReactorThread(Options());
        Task shutdown = thread.Reactor.ShutdownAsync(TimeSpan.Zero);

        Assert.That(Task.WaitAll([shutdown, thread.Completion], Bound), Is.True);
        Assert.That(thread.Completion.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void AnExceptionOfTheCallbacks_IsAFaultOfTheLoop_EvenWhenItSpeaksOfADisposedObject()
    {
        var log = new ListLogger();
        using var thread = new ReactorThread(Options(logger: log, propagateExceptions: true));
        thread.Reactor.Post(static () => throw new ObjectDisposedException("Something of the user's."));

        Assert.That(() => thread.Completion.WaitAsync(Bound).GetAwaiter().GetResult(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(log.Entries.Select(static entry => (entry.Level, entry.Id)), Is.EqualTo(new[] { (LogLevel.Critical, 6) }));
    }

    [Test]
    public void Callbacks_DoNotCarryTheAsyncLocalsOfTheMaker()
    {
        var local = new AsyncLocal<string?> { Value = "the maker's" };
        using var thread = new ReactorThread(Options());
        Task<string?> seen = thread.Reactor.InvokeAsync<string?>(() => local.Value);

        Assert.That(seen.Wait(Bound));
        Assert.That(seen.Result, Is.Null);
    }
}
