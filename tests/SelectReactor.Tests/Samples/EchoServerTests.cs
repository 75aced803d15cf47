using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

[Platform("Linux,MacOsX")]
public sealed class EchoServerTests
{
    private const string Sample = "EchoServer";
    private const string LongDrain = "3600";

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
        using Peer peer = ConnectAndEcho(server, out _);

        server.Signal(signal);

        Assert.That(peer.ReceiveToEnd(), Is.Empty, "ended in good order");
        (int exitCode, string output, string error) = server.WaitForExit();
        Assert.That(
            (exitCode, output, error),
            Is.EqualTo((0, $"Served 1 connections and 1 bytes.{Environment.NewLine}", "")));
    }

    // Those with a drain longer than any wait of the tests end in time only when nothing waits for it to pass.
    [TestCase("TERM")]
    [TestCase("INT")]
    public void NoConnection_EndsWithoutWaiting(string signal)
    {
        using var server = SampleProcess.Start(Sample, "--port", "0", "--drain", LongDrain);
        server.ReadPort();

        server.Signal(signal);

        (int exitCode, string output, string error) = server.WaitForExit();
        Assert.That(
            (exitCode, output, error),
            Is.EqualTo((0, $"Served 0 connections and 0 bytes.{Environment.NewLine}", "")));
    }

    [Test]
    public void OpenConnection_IsServedWhileDraining_AndItsEndIsTheServers()
    {
        using var server = SampleProcess.Start(Sample, "--port", "0", "--drain", LongDrain);
        using Peer peer = ConnectAndEcho(server, out IPEndPoint address);

        server.Signal("TERM");
        WaitUntilRefused(address);
        peer.Send("late"u8);
        Assert.That(peer.Receive(4), Is.EqualTo("late"u8.ToArray()));
        peer.EndOutput();

        Assert.That(peer.ReceiveToEnd(), Is.Empty);
        Assert.That(server.WaitForExit().ExitCode, Is.Zero);
    }

    [TestCase("INT", "INT")]
    [TestCase("INT", "TERM")]
    [TestCase("TERM", "INT")]
    public void SecondSignal_DoesNotWaitForTheConnections(string first, string second)
    {
        using var server = SampleProcess.Start(Sample, "--port", "0", "--drain", LongDrain);
        using Peer peer = ConnectAndEcho(server, out IPEndPoint address);

        server.Signal(first);
        WaitUntilRefused(address);
        server.Signal(second);

        Assert.That(peer.ReceiveToEnd(), Is.Empty);
        Assert.That(server.WaitForExit().ExitCode, Is.Zero);
    }

    [Test]
    public void AnyAddress_IsServed()
    {
        using var server = SampleProcess.Start(Sample, "--host", "0.0.0.0", "--port", "0");
        using Peer peer = ConnectAndEcho(server, out _);
    }

    [Test]
    public void BusyPort_IsOneClearLine()
    {
        using Socket other = Peer.Listen();
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;

        (int exitCode, string output, string error) = SampleProcess.Run(Sample, "", "--port", $"{port}");

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(output, Is.Empty);
        Assert.That(error, Does.StartWith($"Can't listen on 127.0.0.1:{port}: ").And.EndsWith(Environment.NewLine));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [TestCase("--selector", "kqueue", "kqueue")]
    [TestCase("--port", "70000", "70000")]
    [TestCase("--drain", "-1", "-1")]
    [TestCase("--host", "nosuch.invalid", "nosuch.invalid")]
    public void WrongArguments_AreNamed(string option, string value, string named)
    {
        (int exitCode, _, string error) = SampleProcess.Run(Sample, "", option, value);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain(named).And.Not.Contains("   at "));
    }

    [Test]
    public void HostNameOverTheLimit_IsOneClearLine()
    {
        string name = new('a', 300);

        (int exitCode, string output, string error) = SampleProcess.Run(Sample, "", "--host", name);

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.StartWith($"Can't find the host {name}: "));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [Test]
    public void Help_NamesTheOptions()
    {
        (int exitCode, string output, _) = SampleProcess.Run(Sample, "", "--help");

        Assert.That(exitCode, Is.Zero);
        Assert.That(output, Does.Contain("--host").And.Contain("--port").And.Contain("--selector"));
    }

    private static Peer ConnectAndEcho(SampleProcess server, out IPEndPoint address)
    {
        address = new IPEndPoint(IPAddress.Loopback, server.ReadPort());
        var peer = Peer.Connect(address);
        peer.Send("x"u8);
        Assert.That(peer.Receive(1), Is.EqualTo("x"u8.ToArray()));
        return peer;
    }

    private static void WaitUntilRefused(IPEndPoint address) => Assert.That(
        () => Peer.Connect(address).Dispose(),
        Throws.InstanceOf<SocketException>().After(20_000, 10),
        "the first signal has begun the end");
}
