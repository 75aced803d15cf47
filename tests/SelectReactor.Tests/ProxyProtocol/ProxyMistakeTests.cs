using System.Net;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>What is told when a listener and the proxy before it do not fit.</summary>
public sealed class ProxyMistakeTests(SelectorKind selector) : StreamFixture(selector)
{
    private const int OpeningFailed = 62;
    private const int RefusedStranger = 65;

    private readonly ListLogger _logger = new();

    [Test]
    public void StrangersAreNamed_AndTheFirstIsAWarning()
    {
        using var reactor = new Reactor(Options(logger: _logger));
        using Listener listener = Listen(reactor, "192.0.2.0/24");
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => listener.Refused == 2, "both are refused");

        (LogLevel Level, string Message)[] lines =
        [
            .. _logger.Entries.Where(static entry => entry.Id == RefusedStranger)
                .Select(static entry => (entry.Level, entry.Message)),
        ];
        Assert.That(
            lines.Select(static line => line.Level), Is.EqualTo(new[] { LogLevel.Warning, LogLevel.Debug }));
        Assert.That(lines[0].Message, Does.Contain($"{first.Socket.LocalEndPoint}").Or.Contain(
            $"{second.Socket.LocalEndPoint}").And.Contain("TrustedNetworks"));
    }

    [Test]
    public void BytesThatAreNoHeader_AreShown()
    {
        using var reactor = new Reactor(Options(logger: _logger));
        using Listener listener = Listen(reactor, "127.0.0.1/32");
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("GET / HTTP/1.1\r\n"u8);
        RunUntil(reactor, () => listener.Refused == 1, "it is refused");

        Assert.That(_logger.Entries.Single(static entry => entry.Id == OpeningFailed).Message, Does.Contain(
            "The first bytes are no PROXY header but 474554202F204854 (\"GET / HT\")."));
    }

    private static Listener Listen(Reactor reactor, string trusted) => reactor.Listen(
        AnyPort,
        new ScriptedHandler(),
        new ListenerOptions
        {
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [IPNetwork.Parse(trusted)] },
        });
}
