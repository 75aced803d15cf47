using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Ends of listeners on several threads, and where those who wait for them go on.</summary>
public sealed class ListenerEndTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void Disposed_WhileTheLoopBeginsOnAnotherThread_IsClosed_AndTheShutdownCompletes()
    {
        for (int round = 0; round < 200; round++)
        {
            using var reactor = new Reactor(Options());
            Listener listener = reactor.Listen(AnyPort, new ScriptedHandler());
            using var start = new Barrier(2);
            var loop = new Thread(() =>
            {
                start.SignalAndWait();
                reactor.Run();
            });
            loop.Start();
            start.SignalAndWait();
            Assert.That(listener.Dispose, Throws.Nothing);

            Task shutdown = reactor.ShutdownAsync(TimeSpan.FromHours(1));
            Assert.That(shutdown.Wait(Bound), $"round {round}: nothing is left to wait for");
            Assert.That(loop.Join(Bound));
            Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        }
    }

    [Test]
    public void DisposedElsewhere_WhileThisThreadSetsUp_LeavesItAlone()
    {
        using var made = new System.Collections.Concurrent.BlockingCollection<Listener>();
        var disposing = Task.Run(() =>
        {
            foreach (Listener listener in made.GetConsumingEnumerable())
            {
                listener.Dispose();
            }
        });
        List<Listener> all = [];
        for (int i = 0; i < 500; i++)
        {
            all.Add(Reactor.Listen(AnyPort, new ScriptedHandler()));
            made.Add(all[i]);
        }

        made.CompleteAdding();
        Assert.That(disposing.Wait(Bound));
        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(all.Count(static listener => Peer.CanConnect(listener.LocalEndPoint)), Is.Zero);
    }

    [TestCase("made the reactor")]
    [TestCase("ran the loop")]
    [TestCase("disposed the reactor")]
    public void DisposedAfterTheRun_ClosesAtOnceOnTheThreadThat(string did)
    {
        Listener listener = Reactor.Listen(AnyPort, new ScriptedHandler());
        bool isOpen = true;
        var running = new Thread(() =>
        {
            Reactor.Stop();
            Reactor.Run();
            if (did == "ran the loop")
            {
                listener.Dispose();
                isOpen = Peer.CanConnect(listener.LocalEndPoint);
            }
        });
        running.Start();
        Assert.That(running.Join(Bound));
        if (did == "made the reactor")
        {
            listener.Dispose();
            isOpen = Peer.CanConnect(listener.LocalEndPoint);
        }
        else if (did == "disposed the reactor")
        {
            Task.Run(() =>
            {
                listener.Dispose();
                Reactor.Dispose();
                isOpen = Peer.CanConnect(listener.LocalEndPoint);
            }).Wait();
        }

        Assert.That(isOpen, Is.False);
    }

    [Test]
    public void WaitsOnTheLoop_GoOnOnTheLoop_AlsoWithoutItsContext()
    {
        List<bool> onLoop = [];
        Listener listener = null!;
        var serving = new ScriptedHandler
        {
            Connected = async connection =>
            {
                await listener.StopAcceptingAsync().ConfigureAwait(false);
                onLoop.Add(Reactor.IsReactorThread);
                connection.Abort();
                await listener.Drained.ConfigureAwait(false);
                onLoop.Add(Reactor.IsReactorThread);
            },
        };
        listener = Reactor.Listen(AnyPort, serving);
        Reactor.Post(async () =>
        {
            await Reactor.ConnectAsync(listener.LocalEndPoint, new ScriptedHandler()).ConfigureAwait(false);
            onLoop.Add(Reactor.IsReactorThread);
        });
        RunUntil(() => onLoop.Count == 3);

        Assert.That(onLoop, Is.All.True);
    }

    [Test]
    public void WaitsOnAnotherThread_DoNotGoOnAsTheLoop()
    {
        using var thread = new ReactorThread(Options());
        Listener listener =
            thread.Reactor.InvokeAsync(() => thread.Reactor.Listen(AnyPort, new ScriptedHandler())).Result;
        bool? onLoop = null;
        Task waits = Wait();
        Assert.That(waits.Wait(Bound));
        Assert.That(onLoop, Is.False);

        async Task Wait()
        {
            await thread.Reactor.ConnectAsync(listener.LocalEndPoint, new ScriptedHandler()).ConfigureAwait(false);
            onLoop = thread.Reactor.IsReactorThread;
            await listener.StopAcceptingAsync().ConfigureAwait(false);
            onLoop |= thread.Reactor.IsReactorThread;
            Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False, "the socket is closed");
            Task drained = listener.Drained;
            Assert.That(drained.IsCompleted, Is.False);
            await thread.Reactor.ShutdownAsync(TimeSpan.Zero).ConfigureAwait(false);
            await drained.ConfigureAwait(false);
            onLoop |= thread.Reactor.IsReactorThread;
        }
    }

    [Test]
    public void DisposeInACallback_ResetsTheClientsThatWait_AndIsNoError()
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        var handler = new ScriptedHandler { Connected = _ => reactor.Dispose() };
        Listener listener = reactor.Listen(AnyPort, handler);
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);

        RunUntil(reactor, () => handler.IsConnected, "the first client");

        Assert.That(logger.Entries.Where(static entry => entry.Level > LogLevel.Information), Is.Empty);
        Assert.That(listener.ConnectionCount, Is.Zero);
    }
}
