using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Tests.Samples;

[Platform("Linux,MacOsX")]
public sealed class UdpEchoTests
{
    private const string Sample = "UdpEcho";

    [TestCase("select", "127.0.0.1")]
    [TestCase("epoll", "127.0.0.1", IncludePlatform = "Linux")]
    [TestCase("select", "::1")]
    public void Echoes_AndOnSigtermReportsAndEndsWell(string selector, string host)
    {
        using var server = SampleProcess.Start(Sample, "--host", host, "--port", "0", "--selector", selector);
        var address = new IPEndPoint(IPAddress.Parse(host), server.ReadPort());
        using (var peer = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp))
        {
            peer.ReceiveTimeout = 20_000;
            peer.Connect(address);
            byte[] answer = new byte[10];
            foreach (byte[] datagram in new byte[][] { [1, 2, 3], [], [4] })
            {
                peer.Send(datagram);
                int length = peer.Receive(answer);
                Assert.That(answer[..length], Is.EqualTo(datagram));
            }
        }

        server.Signal("TERM");
        Assert.That(
            server.WaitForExit(),
            Is.EqualTo((0, $"Received 3 datagrams, sent 3, dropped 0.{Environment.NewLine}", "")));
    }

    [Test]
    public void BusyPort_IsOneClearLine()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;

        (int exitCode, string output, string error) = SampleProcess.Run(Sample, "", "--port", $"{port}");

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.StartWith($"Can't receive datagrams on 127.0.0.1:{port}: "));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [TestCase("--host", "nosuch.invalid", "nosuch.invalid")]
    [TestCase("--port", "70000", "70000")]
    public void WrongArguments_AreNamed(string option, string value, string named)
    {
        (int exitCode, _, string error) = SampleProcess.Run(Sample, "", option, value);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain(named).And.Not.Contains("   at "));
    }
}
