using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>A handle has one key at a time, whichever selector watches it.</summary>
public sealed class RegisterTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly Mock<IEventHandler> _handler = new();

    [Test]
    public void SecondKeyOnOneHandle_IsRefused_AndNamesTheHandle([Values] bool sameInterest)
    {
        using Socket listener = Peer.Listen();
        var handle = new SocketHandle(listener);
        SelectionKey key = Reactor.Register(handle, Interest.Read, _handler.Object);

        Assert.That(
            () => Reactor.Register(handle, sameInterest ? Interest.Read : Interest.None, _handler.Object),
            Throws.InvalidOperationException.With.Message.Contains(listener.LocalEndPoint!.ToString()!));

        using var peer = Peer.Connect(listener.LocalEndPoint!);
        Assert.That(listener.Poll(TimeSpan.FromSeconds(20), SelectMode.SelectRead));
        Reactor.RunOnce(TimeSpan.Zero);
        _handler.Verify(handler => handler.OnReady(key), Times.Once, "the first key is as it was");
        key.Cancel();
    }

    [Test]
    public void AnotherReactor_RefusesTheHandleToo_UntilTheKeyIsCancelled()
    {
        using Socket listener = Peer.Listen();
        var handle = new SocketHandle(listener);
        using var other = new Reactor();
        SelectionKey key = Reactor.Register(handle, Interest.Read, _handler.Object);
        Assert.That(() => other.Register(handle, Interest.Read, _handler.Object), Throws.InvalidOperationException);

        key.Cancel();
        SelectionKey second = other.Register(handle, Interest.Read, _handler.Object);
        key.Cancel();

        Assert.That(() => Reactor.Register(handle, Interest.Read, _handler.Object), Throws.InvalidOperationException);
        second.Cancel();
        Assert.That(() => Reactor.Register(handle, Interest.Read, _handler.Object), Throws.Nothing);
    }

    [Test]
    public void HandleThatTheSelectorRefuses_IsNotRegistered()
    {
        var handle = new Mock<Handle> { CallBase = true };
        var selector = new Mock<ISelector>();
        selector.SetupSequence(static s => s.Add(It.IsAny<SelectorEntry>()))
            .Throws(new IOException("no memory"))
            .Pass();
        using var reactor = new Reactor(new ReactorOptions { SelectorFactory = () => selector.Object });
        Assert.That(
            () => reactor.Register(handle.Object, Interest.Read, _handler.Object), Throws.InstanceOf<IOException>());

        Assert.That(() => reactor.Register(handle.Object, Interest.Read, _handler.Object), Throws.Nothing);
    }
}
