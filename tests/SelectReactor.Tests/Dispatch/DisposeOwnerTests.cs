using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>Whose call of Dispose closes everything, where a thread steps the loop and others dispose the reactor
/// too.</summary>
public sealed class DisposeOwnerTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void TheThreadOfTheSteps_AlsoAfterADisposeElsewhere_ClosesWithItsOwn()
    {
        (Listener listener, ScriptedHandler handler, Peer peer) = Serve();
        using Peer disposed = peer;
        RunUntil(() => handler.IsConnected);
        Task.Run(Reactor.Dispose).Wait();
        Reactor.Dispose();

        AssertEnded(listener, handler);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void AnyThread_OnceTheThreadOfTheStepsHasEnded(bool wasDisposedBefore)
    {
        (Listener listener, ScriptedHandler handler, Peer peer) = Serve();
        using Peer disposed = peer;
        var stepping = new Thread(() => RunUntil(() => handler.IsConnected));
        stepping.Start();
        Assert.That(SpinWait.SpinUntil(() => handler.IsConnected, Bound));
        if (wasDisposedBefore)
        {
            Task.Run(Reactor.Dispose).Wait();
        }

        Assert.That(stepping.Join(Bound));
        Task.Run(Reactor.Dispose).Wait();

        AssertEnded(listener, handler);
    }

    [Test]
    public void InsideItsOwnClosing_AFurtherDispose_DoesNotCloseAgain()
    {
        (Listener listener, ScriptedHandler handler, Peer peer) = Serve();
        using Peer disposed = peer;
        RunUntil(() => handler.IsConnected);
        handler.Closed = (_, _) =>
        {
            Reactor.Dispose();
            Task.Run(Reactor.Dispose).Wait();
        };
        Reactor.Dispose();
        Reactor.Dispose();

        AssertEnded(listener, handler);
    }

    private (Listener Listener, ScriptedHandler Handler, Peer Peer) Serve()
    {
        var handler = new ScriptedHandler();
        Listener listener = Reactor.Listen(AnyPort, handler);
        return (listener, handler, Peer.Connect(listener.LocalEndPoint));
    }

    private void AssertEnded(Listener listener, ScriptedHandler handler)
    {
        Assert.That(handler.CloseReasons, Is.EqualTo(new[] { new CloseReason { Kind = CloseKind.ReactorStopped } }));
        Assert.That(Peer.CanConnect(listener.LocalEndPoint), Is.False);
        Assert.That(Reactor.ShutdownAsync(TimeSpan.Zero).Wait(Bound));
    }
}
