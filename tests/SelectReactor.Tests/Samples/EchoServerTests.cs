using System.Net;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

[Platform("Linux,MacOsX")]
public sealed class EchoServerTests
{
    private const string Sample = "EchoServer";

    [TestCase("select")]
    [TestCase("epoll", IncludePlatform = "Linux")]
    public void Echoes_AndOnSigtermReportsAndEndsWell(string selector)
    {
        using var server = SampleProcess.Start(Sample, "--port", "0", "--selector", selector);
        using (var peer = Peer.Connect(new IPEndPoint(IPAddress.Loopback, server.ReadPort())))
        {
            peer.Send("hello"u8);
            Assert.That(peer.Receive(5), Is.EqualTo("hello"u8.ToArray()));
            peer.EndOutput();
            Assert.That(peer.ReceiveToEnd(), Is.Empty);
        }

        server.Signal("TERM");
        (int exitCode, string output, string error) = server.WaitForExit();

        Assert.That(exitCode, Is.Zero);
        Assert.That(output, Is.EqualTo($"Served 1 connections and 5 bytes.{Environment.NewLine}"));
        Assert.That(error, Is.Empty);
    }

    [TestCase("TERM")]
    [TestCase("INT")]
    public void IdleConnection_DoesNotKeepItFromEnding(string signal)
    {
        using var server = SampleProcess.Start(Sample, "--port", "0");
        using var peer = Peer.Connect(new IPEndPoint(IPAddress.Loopback, server.ReadPort()));
        peer.Send("x"u8);
        peer.Receive(1);

        server.Signal(signal);

        Assert.That(peer.ReceiveToEnd(), Is.Empty, "ended in good order");
        Assert.That(server.WaitForExit().ExitCode, Is.Zero);
    }

    [Test]
    public void SecondSignal_DoesNotWaitForTheConnections()
    {
        using var server = SampleProcess.Start(Sample, "--port", "0");
        var address = new IPEndPoint(IPAddress.Loopback, server.ReadPort());
        using var peer = Peer.Connect(address);
        peer.Send("x"u8);
        peer.Receive(1);

        server.Signal("INT");
        Assert.That(
            () => Peer.Connect(address).Dispose(),
            Throws.InstanceOf<System.Net.Sockets.SocketException>().After(10_000, 10),
            "the first signal has begun the end");
        server.Signal("INT");

        Assert.That(peer.ReceiveToEnd(), Is.Empty);
        Assert.That(server.WaitForExit().ExitCode, Is.Zero);
    }

    [Test]
    public void BusyPort_IsOneClearLine()
    {
        using System.Net.Sockets.Socket other = Peer.Listen();
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;

        (int exitCode, string output, string error) = SampleProcess.Run(Sample, "", "--port", $"{port}");

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(output, Is.Empty);
        Assert.That(error, Does.StartWith($"Can't listen on 127.0.0.1:{port}: ").And.EndsWith(Environment.NewLine));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [TestCase("--selector", "kqueue", "kqueue")]
    [TestCase("--port", "70000", "70000")]
    [TestCase("--host", "nosuch.invalid", "nosuch.invalid")]
    public void WrongArguments_AreNamed(string option, string value, string named)
    {
        (int exitCode, _, string error) = SampleProcess.Run(Sample, "", option, value);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain(named).And.Not.Contains("   at "));
    }

    [Test]
    public void Help_NamesTheOptions()
    {
        (int exitCode, string output, _) = SampleProcess.Run(Sample, "", "--help");

        Assert.That(exitCode, Is.Zero);
        Assert.That(output, Does.Contain("--host").And.Contain("--port").And.Contain("--selector"));
    }
}
