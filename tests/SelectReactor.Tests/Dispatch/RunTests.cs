using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

public sealed class RunTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void SecondThread_IsRefused()
    {
        using var running = new ManualResetEventSlim();
        Reactor.Post(running.Set);
        var loop = Task.Run(() => Reactor.Run());
        Assert.That(running.Wait(Bound));

        Assert.That(() => Reactor.Run(), Throws.InvalidOperationException.With.Message.Contains("another thread"));
        Assert.That(() => Reactor.RunOnce(TimeSpan.Zero), Throws.InvalidOperationException);
        Reactor.Stop();
        Assert.That(loop.Wait(Bound));
    }

    [Test]
    public void InsideACallback_IsRefused()
    {
        List<Exception> refused = [];
        Reactor.Post(() =>
        {
            refused.Add(Assert.Throws<InvalidOperationException>(() => Reactor.Run())!);
            refused.Add(Assert.Throws<InvalidOperationException>(() => Reactor.RunOnce(TimeSpan.Zero))!);
        });
        RunUntil(() => refused.Count == 2);

        Assert.That(refused, Has.All.Message.Contains("inside a callback"));
    }

    [Test]
    public void StopBefore_MakesTheNextRunReturnAtOnce_AndOnlyThatOne()
    {
        Reactor.Stop();
        Reactor.Run();
        bool ran = false;
        Reactor.Schedule(TimeSpan.Zero, () =>
        {
            ran = true;
            Reactor.Stop();
        });
        Reactor.Run();

        Assert.That(ran);
    }

    // The stop of a program may come while it still steps the loop to get ready.
    [Test]
    public void Stop_EndsTheWaitOfOneStep_AndTheNextRun()
    {
#pragma warning disable SR0002 // The loop waits for another thread, which does not wait for the loop.
        Reactor.Post(() => Task.Run(Reactor.Stop).Wait());
#pragma warning restore SR0002
        Reactor.RunOnce(TimeSpan.Zero);
        Reactor.RunOnce(Timeout.InfiniteTimeSpan);
        using var late = new CancellationTokenSource(Bound);
        Reactor.Run(late.Token);

        Assert.That(late.IsCancellationRequested, Is.False);
    }

    [Test]
    public void Stop_WorksFromEverywhere()
    {
        Reactor.Post(Reactor.Stop);
        Reactor.Run();
        Reactor.Schedule(TimeSpan.FromMilliseconds(1), Reactor.Stop);
        Reactor.Run();
        Reactor.Post(() => Task.Run(Reactor.Stop));
        Reactor.Run();
        Assert.That(Reactor.IsReactorThread, Is.False, "each Run returned");
    }

    [Test]
    public void CancelledToken_EndsRun_BeforeAndDuring()
    {
        using var source = new CancellationTokenSource();
        Reactor.Post(() => Task.Run(source.Cancel));
        Reactor.Run(source.Token);
        Reactor.Run(source.Token);

        Assert.That(source.IsCancellationRequested);
    }

    [Test]
    public void Timeout_IsChecked()
    {
        Assert.That(() => Reactor.RunOnce(TimeSpan.FromSeconds(-5)), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Threads_AreBoundByTheLoop_AndFreedByItsEnd()
    {
        Assert.That(Reactor.IsReactorThread, Is.False);
        Assert.That(() => Task.Run(Reactor.VerifyAccess).Wait(), Throws.Nothing, "before the loop any thread may");

        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(Reactor.IsReactorThread);
        Assert.That(
            () => Task.Run(Reactor.VerifyAccess).GetAwaiter().GetResult(),
            Throws.InvalidOperationException.With.Message.Contains("Reactor.Post"));

        Reactor.Stop();
        Reactor.Run();
        Assert.That(() => Task.Run(Reactor.VerifyAccess).Wait(), Throws.Nothing, "after Run any thread may");
    }

    [Test]
    public void GameLoop_OfSixtyFramesASecond_ServesEverything()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        using Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        int beats = 0;
        int posts = 0;
        int echoes = 0;
        reactor.SchedulePeriodic(TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(0.1), () => beats++);
        for (int frame = 0; frame < 600; frame++)
        {
            peer.Send([(byte)frame]);
            reactor.Post(() => posts++);
            reactor.RunOnce(TimeSpan.Zero);
            time.Advance(TimeSpan.FromSeconds(1.0 / 60));
            while (peer.Socket.Available > 0)
            {
                Assert.That(peer.Receive(1)[0], Is.EqualTo((byte)echoes++));
            }
        }

        RunUntil(reactor, () => echoes + peer.Socket.Available == 600);
        Assert.That((beats, posts), Is.EqualTo((99, 600)).Or.EqualTo((100, 600)));
    }
}
