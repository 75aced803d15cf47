using System.Net;
using System.Net.Sockets;
using SelectReactor.Endpoints;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>What people read when listening or connecting fails, and how end points look in messages.</summary>
public sealed class MessageTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly UnixDomainSocketEndPoint _file = new("/tmp/some.sock");
    private static readonly IPEndPoint _web = new(IPAddress.Parse("192.0.2.1"), 80);
    private static readonly IPEndPoint _high = new(IPAddress.Parse("192.0.2.1"), 8080);

    private static IEnumerable<TestCaseData> Advised =>
    [
        new(SocketError.AddressAlreadyInUse, _high, SocketStep.Listen, "choose another port (0 for any)"),
        new(SocketError.AddressAlreadyInUse, _file, SocketStep.Listen, "choose another path"),
        new(SocketError.AddressAlreadyInUse, _high, SocketStep.BindBeforeConnect, "local port"),
        new(SocketError.AddressNotAvailable, _high, SocketStep.Listen, "This machine does not have the address"),
        new(SocketError.AddressNotAvailable, _high, SocketStep.Connect, "no local port is free"),
        new(SocketError.AddressNotAvailable, _file, SocketStep.Connect, "No such file or directory. Check the path"),
        new(SocketError.AddressNotAvailable, _file, SocketStep.Listen, "the folder of the path"),
        new(SocketError.AccessDenied, _web, SocketStep.Listen, "Ports below 1024 need a privilege"),
        new(SocketError.AccessDenied, _high, SocketStep.Listen, "have reserved the port"),
        new(SocketError.AccessDenied, _web, SocketStep.Connect, "check its firewall"),
        new(SocketError.AccessDenied, _file, SocketStep.Listen, "permissions of the file"),
        new(SocketError.SocketError, _file, SocketStep.Listen, "a read-only file system"),
        new(SocketError.ConnectionRefused, _web, SocketStep.Connect, "whether the server is running"),
        new(SocketError.HostUnreachable, _web, SocketStep.Connect, "the network connection"),
        new(SocketError.NetworkUnreachable, _web, SocketStep.Connect, "the network connection"),
        new(SocketError.TimedOut, _web, SocketStep.Connect, "a firewall drops the packets"),
        new(SocketError.HostNotFound, new DnsEndPoint("host", 1), SocketStep.Connect, "Check the name"),
        new(SocketError.AddressFamilyNotSupported, _web, SocketStep.Listen, "does not support InterNetwork addresses"),
        new(SocketError.TooManyOpenSockets, _web, SocketStep.Connect, "Raise the limit on open files"),
    ];

    [TestCaseSource(nameof(Advised))]
    public void AnError_IsOneLine_WithTheAttemptTheErrorAndARemedy(
        object error, EndPoint endPoint, object step, string advice)
    {
        string message = SocketFailure.Create(
            (SocketError)error, "Can't do it", endPoint, (SocketStep)step).Message;

        Assert.That(message, Does.StartWith("Can't do it: ").And.Contain(advice).And.EndsWith("."));
        Assert.That(message, Does.Not.Contain("\n").And.Not.Contain("..").And.Not.Contain("  "));
    }

    [Test]
    public void AnErrorWithoutAKnownRemedy_IsTheSystemsText() =>
        Assert.That(
            SocketFailure.Create(SocketError.MessageSize, "Can't do it", _web, SocketStep.Connect).Message,
            Is.EqualTo($"Can't do it: {new SocketException((int)SocketError.MessageSize).Message}."));

    [Test]
    public void ABusyPort_SaysWhatToDo()
    {
        using Listener listener = Reactor.Listen(AnyPort, new ScriptedHandler());

        Assert.That(
            () => Reactor.Listen(listener.LocalEndPoint, new ScriptedHandler()),
            Throws.TypeOf<SocketException>()
                .With.Message.StartsWith($"Can't listen on {listener.LocalEndPoint}: ")
                .And.Message.EndsWith("end its program, or choose another port (0 for any)."));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void AMissingUnixFile_SaysSo()
    {
        string path = UnixFile.NewPath();

        Assert.That(
            () => RunUntil(Reactor.ConnectAsync(new UnixDomainSocketEndPoint(path))),
            Throws.TypeOf<SocketException>().With.Message.EqualTo(
                $"Can't connect to {path}: No such file or directory. Check the path, and whether the server is "
                    + "running."));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void AMissingFolder_OfAUnixFile_SaysSo()
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}", "some.sock");

        Assert.That(
            () => Reactor.Listen(new UnixDomainSocketEndPoint(path), new ScriptedHandler()),
            Throws.TypeOf<SocketException>().With.Message.EqualTo(
                $"Can't listen on {path}: No such file or directory. Check that the folder of the path exists."));
    }

    [Test]
    public void ASystemWithoutTheAddressFamily_IsNamedWithTheAttempt([Values] bool listens)
    {
        var handles = new Mock<IHandleFactory>();
        var error = new SocketException((int)SocketError.AddressFamilyNotSupported);
        handles.Setup(static factory => factory.CreateStream(It.IsAny<AddressFamily>())).Throws(error);
        handles.Setup(static factory => factory.CreateListener(It.IsAny<AddressFamily>())).Throws(error);
        using var reactor = new Reactor(Options(handles: handles.Object));
        var endPoint = new IPEndPoint(IPAddress.IPv6Loopback, 7);
        Task attempt = listens
            ? reactor.ListenAsync(endPoint, new ScriptedHandler())
            : reactor.ConnectAsync(endPoint);
        RunUntil(reactor, () => attempt.IsCompleted);

        Assert.That(
            () => attempt.GetAwaiter().GetResult(),
            Throws.TypeOf<SocketException>()
                .With.Message.StartsWith($"Can't {(listens ? "listen on" : "connect to")} [::1]:7: ")
                .And.Message.EndsWith("This system does not support InterNetworkV6 addresses."));
    }

    [Test]
    public void EndPoints_AreReadable()
    {
        Assert.That(EndPointText.Of(new IPEndPoint(IPAddress.Loopback, 7)), Is.EqualTo("127.0.0.1:7"));
        Assert.That(EndPointText.Of(new IPEndPoint(IPAddress.IPv6Loopback, 7)), Is.EqualTo("[::1]:7"));
        Assert.That(EndPointText.Of(new DnsEndPoint("host", 7)), Is.EqualTo("host:7"));
        Assert.That(EndPointText.Of(_file), Is.EqualTo("/tmp/some.sock"));
        Assert.That(EndPointText.Of(null), Is.EqualTo("unknown"));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void APeerWithoutAName_IsUnix_InMessages()
    {
        string path = UnixFile.NewPath();
        var logger = new ListLogger();
        var handler = new ScriptedHandler();
        using var reactor = new Reactor(Options(logger: logger));
        using Listener listener = reactor.Listen(new UnixDomainSocketEndPoint(path), handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => handler.IsConnected);

        Assert.That(EndPointText.Of(handler.Connection.RemoteEndPoint), Is.EqualTo("unix"));
        string[] messages = [.. logger.Entries.Select(static entry => entry.Message)];
        Assert.That(messages, Has.Some.EqualTo($"Listening on {path}."));
        Assert.That(messages, Has.Some.Matches($"^Connection \\d+ opened: {path} to unix\\.$"));
    }
}
