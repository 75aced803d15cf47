using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>What the user brings along may fail, and the loop must not.</summary>
public sealed class GuardTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    [SuppressMessage("Performance", "CA1873", Justification = "The call is a description for the mock.")]
    public void LoggerThatThrows_HarmsNothing()
    {
        var logger = new Mock<ILogger>();
        logger.Setup(static mock => mock.IsEnabled(It.IsAny<LogLevel>())).Throws<InvalidDataException>();
        AssertServes(logger.Object);

        logger.Setup(static mock => mock.IsEnabled(It.IsAny<LogLevel>())).Returns(true);
        logger.Setup(static mock => mock.Log(
            It.IsAny<LogLevel>(),
            It.IsAny<EventId>(),
            It.IsAny<It.IsAnyType>(),
            It.IsAny<Exception?>(),
            It.IsAny<Func<It.IsAnyType, Exception?, string>>())).Throws<InvalidDataException>();
        AssertServes(logger.Object);
    }

    [Test]
    public void Register_AfterDispose_IsRefused()
    {
        var reactor = new Reactor(Options());
        reactor.Dispose();
        using Handle handle = new ReactorOptions().HandleFactory.CreateStream(
            System.Net.Sockets.AddressFamily.InterNetwork);

        Assert.That(
            () => reactor.Register(handle, Interest.Read, Mock.Of<IEventHandler>()),
            Throws.InstanceOf<ObjectDisposedException>());
    }

    private void AssertServes(ILogger logger)
    {
        using var reactor = new Reactor(Options(logger: logger));
        var handler = new ScriptedHandler { Readable = static _ => throw new InvalidDataException("handler") };
        Listener listener = reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("x"u8);
        reactor.Post(static () => throw new InvalidDataException("post"));
        RunUntil(reactor, () => handler.IsClosed);

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.HandlerFault));
    }
}
