using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>An exception that leaves the loop leaves it at the end of the tick, of which nothing is lost.</summary>
public sealed class PropagationTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void AShutdownThatIsOver_EndsTheRunAfterTheException()
    {
        using var reactor = new Reactor(Options(propagateExceptions: true));
        Task shutdown = reactor.ShutdownAsync(TimeSpan.FromHours(1));
        reactor.Post(static () => throw new InvalidDataException());

        Assert.That(() => reactor.Run(), Throws.TypeOf<InvalidDataException>());
        Assert.That(shutdown.Wait(Bound));
        using var late = new CancellationTokenSource(Bound);
        reactor.Run(late.Token);
        Assert.That(late.IsCancellationRequested, Is.False);
    }
}
