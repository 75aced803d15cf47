using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

public sealed class SynchronizationContextTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void DuringEveryCallback_ItIsCurrent()
    {
        var seen = new List<(string Where, SynchronizationContext? Context)>();
        void See(string where) => seen.Add((where, SynchronizationContext.Current));
        var handler = new ScriptedHandler
        {
            Connected = _ => See("connected"),
            Readable = _ => See("readable"),
            InputEnded = connection =>
            {
                See("ended");
                connection.Close();
            },
            Closed = (_, _) => See("closed"),
        };
        Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("x"u8);
        peer.EndOutput();
        Reactor.Schedule(TimeSpan.Zero, () => See("timer"));
        Reactor.Post(() => See("post"));
        RunUntil(() => handler.IsClosed);

        Assert.That(seen.Select(static one => one.Where), Is.EquivalentTo(new[] { "timer", "post", "connected", "readable", "ended", "closed" }));
        Assert.That(seen.Select(static one => one.Context), Has.All.SameAs(Reactor.SynchronizationContext));
    }

    [Test]
    public void WhenACallbackReplacesIt_TheCallersIsRestoredAllTheSame()
    {
        var mine = new SynchronizationContext();
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(mine);
        try
        {
            Reactor.Post(static () => SynchronizationContext.SetSynchronizationContext(null));
            Reactor.RunOnce(TimeSpan.Zero);
            Assert.That(SynchronizationContext.Current, Is.SameAs(mine));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    [Test]
    public void DuringDispose_ItIsCurrentAndThenGone()
    {
        SynchronizationContext? outer = SynchronizationContext.Current;
        SynchronizationContext? during = null;
        Reactor.Post(() => during = SynchronizationContext.Current);
        Reactor.Dispose();

        Assert.That(during, Is.SameAs(Reactor.SynchronizationContext));
        Assert.That(SynchronizationContext.Current, Is.SameAs(outer));
    }

    [Test]
    public void ManyAwaits_StayOnTheThreadAndInOrder()
    {
        var order = new List<int>();
        int strangers = 0;
        int done = 0;
        async void Walk(int number)
        {
            for (int i = 0; i < 100; i++)
            {
                await Task.Yield();
                strangers += Reactor.IsReactorThread ? 0 : 1;
                order.Add(number);
            }

            done++;
        }

        for (int i = 0; i < 3; i++)
        {
            int number = i;
            Reactor.Post(() => Walk(number));
        }

        RunUntil(() => done == 3);

        Assert.That(strangers, Is.Zero);
        Assert.That(order, Is.EqualTo(Enumerable.Range(0, 300).Select(static i => i % 3)));
    }

    [Test]
    public void AnExceptionAfterAnAwaitInAVoidMethod_IsLoggedAndTheLoopGoesOn()
    {
        var log = new ListLogger();
        using var reactor = new Reactor(Options(logger: log));
        reactor.Post(static async () =>
        {
            await Task.Yield();
            throw new InvalidDataException();
        });
        bool goesOn = false;
        RunUntil(reactor, () => log.Entries.Count > 0);
        reactor.Post(() => goesOn = true);
        reactor.RunOnce(TimeSpan.Zero);

        Assert.That((log.Entries[0].Level, log.Entries[0].Id), Is.EqualTo((LogLevel.Error, 1)));
        Assert.That(log.Entries[0].Exception, Is.TypeOf<InvalidDataException>());
        Assert.That(goesOn, Is.True);
    }

    [Test]
    public void Send_OnTheReactorsThread_RunsAtOnceAndThrowsWhatItThrows()
    {
        bool inline = false;
        Exception? thrown = null;
        Reactor.Post(() =>
        {
            Reactor.SynchronizationContext.Send(_ => inline = true, null);
            thrown = Assert.Catch(() => Reactor.SynchronizationContext.Send(static _ => throw new InvalidDataException(), null));
        });
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(inline, Is.True);
        Assert.That(thrown, Is.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Send_FromAnotherThread_ThrowsWhatTheCallbackThrew()
    {
        var sending = Task.Run(() => Reactor.SynchronizationContext.Send(static _ => throw new InvalidDataException(), null));
        RunUntil(() => sending.IsCompleted);

        Assert.That(sending.Exception?.InnerException, Is.TypeOf<InvalidDataException>());
    }

    [Test]
    public void AfterDispose_SendThrowsAndPostWarns()
    {
        var log = new ListLogger();
        var reactor = new Reactor(Options(logger: log));
        reactor.Dispose();
        using var ran = new ManualResetEventSlim();
        reactor.SynchronizationContext.Post(_ => ran.Set(), null);

        Assert.That(ran.Wait(Bound), Is.True);
        Assert.That(log.Entries.Select(static entry => (entry.Level, entry.Id)), Is.EqualTo(new[] { (LogLevel.Warning, 5) }));
        Assert.That(
            () => reactor.SynchronizationContext.Send(static _ => { }, null), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void ACopy_IsTheSame() =>
        Assert.That(Reactor.SynchronizationContext.CreateCopy(), Is.SameAs(Reactor.SynchronizationContext));
}
