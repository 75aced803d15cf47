using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

/// <summary>The chat as its user starts it.</summary>
[Platform("Linux,MacOsX")]
public sealed class LineChatProcessTests
{
    private const string Sample = "LineChat";

    [TestCase("TERM")]
    [TestCase("INT")]
    public void ClientsTalk_AndASignalEndsTheServerInGoodOrder(string signal)
    {
        using var server = SampleProcess.Start(Sample, "--port", "0", "--drain", "3600");
        var address = new IPEndPoint(IPAddress.Loopback, server.ReadPort());
        using var first = Peer.Connect(address);
        Expect(first, "* Welcome, guest1. Commands: /nick NAME, /who, /me ACTION, /quit.\n");
        using var second = Peer.Connect(address);
        Expect(first, "* guest2 has joined.\n");
        second.Send("hello\r\n"u8);
        Expect(first, "<guest2> hello\n");

        server.Signal(signal);

        Expect(first, "* Goodbye: the server ends.\n");
        first.Dispose();
        Assert.That(second.ReceiveToEnd(), Is.Not.Empty);
        second.Dispose();
        (int exitCode, string output, string error) = server.WaitForExit();
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain(" has connected.").And.Contain(" is gone: "));
    }

    [Test]
    public void BusyPort_IsOneClearLine()
    {
        using Socket other = Peer.Listen();
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;

        (int exitCode, string output, string error) = SampleProcess.Run(Sample, "", "--port", $"{port}");

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.StartWith($"Can't listen on 127.0.0.1:{port}: "));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [TestCase("--host", "nowhere", "--host takes an IP address, not nowhere.")]
    [TestCase("--port", "70000", "'70000' for option '--port'")]
    [TestCase("--drain", "-1", "'-1' for option '--drain'")]
    public void WrongArguments_AreNamed(string option, string value, string expected)
    {
        (int exitCode, _, string error) = SampleProcess.Run(Sample, "", option, value);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain(expected).And.Not.Contains("   at "));
    }

    private static void Expect(Peer peer, string text) => Assert.That(
        System.Text.Encoding.UTF8.GetString(peer.Receive(text.Length)), Is.EqualTo(text));
}
