using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

[Platform("Linux,MacOsX")]
public sealed class EchoClientTests
{
    private const string Sample = "EchoClient";

    [Test]
    public void Lines_ComeBack()
    {
        (int exitCode, string output, string error) = RunAgainstServer("hi\nthere\n");

        Assert.That((exitCode, output, error), Is.EqualTo((0, "hi\nthere\n", "")));
    }

    [Test]
    public void LargeInput_ComesBackWhole()
    {
        string input = string.Concat(Enumerable.Range(0, 500_000).Select(static i => $"line {i}\n"));

        (int exitCode, string output, _) = RunAgainstServer(input);

        Assert.That(exitCode, Is.Zero);
        Assert.That(output == input, "all lines, in order");
    }

    [Test]
    public void Count_ChecksAndReports()
    {
        (int exitCode, string output, string error) = RunAgainstServer("", "--count", "5000", "--size", "777");

        Assert.That(
            (exitCode, output, error),
            Is.EqualTo((0, $"5000 messages of 777 bytes came back unchanged.{Environment.NewLine}", "")));
    }

    [Test]
    public void ChangedByte_IsFound()
    {
        AssertFails("Byte 1234 came back", static peer =>
        {
            byte[] bytes = peer.Receive(3200);
            bytes[1234] ^= 1;
            peer.Send(bytes);
        });
    }

    [Test]
    public void EarlyEnd_IsFound() => AssertFails("after 100 of 3200 bytes", static peer =>
    {
        peer.Send(peer.Receive(100));
        peer.Receive(3100);
        peer.EndOutput();
    });

    [Test]
    public void LostConnection_IsReported() => AssertFails("The connection was lost", static peer =>
    {
        peer.Receive(3200);
        peer.Reset();
    });

    [TestCase("127.0.0.1", "Can't connect to 127.0.0.1:")]
    [TestCase("nosuch.invalid", "Can't find the host nosuch.invalid")]
    public void NoServer_IsOneClearLine(string host, string expected)
    {
        int port;
        using (Socket socket = Peer.Listen())
        {
            port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        }

        (int exitCode, string output, string error) = SampleProcess.Run(Sample, "", "--host", host, "--port", $"{port}");

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.StartWith(expected));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [TestCase("--count", "0")]
    [TestCase("--size", "-1")]
    public void WrongArguments_AreNamed(string option, string value)
    {
        (int exitCode, _, string error) = SampleProcess.Run(Sample, "", option, value);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain($"{option} takes a number above 0."));
    }

    private static (int ExitCode, string Output, string Error) RunAgainstServer(string input, params string[] arguments)
    {
        using var server = SampleProcess.Start("EchoServer", "--port", "0");
        return SampleProcess.Run(Sample, input, ["--port", $"{server.ReadPort()}", .. arguments]);
    }

    private static void AssertFails(string expected, Action<Peer> serve)
    {
        using Socket listener = Peer.Listen();
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        using var client = SampleProcess.Start(Sample, "--port", $"{port}", "--count", "100", "--size", "32");
        using (var peer = Peer.Accept(listener))
        {
            serve(peer);
        }

        (int exitCode, string output, string error) = client.WaitForExit();

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.Contain(expected));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }
}
