using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

[Platform("Linux,MacOsX")]
public sealed class EchoClientTests
{
    private const string Sample = "EchoClient";
    private const int Count = 100;
    private const int Size = 128;
    private const int Total = Count * Size;

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
    public void OverTls_EveryByteComesBack()
    {
        using var server = SampleProcess.Start("EchoServer", "--port", "0", "--tls");
        string port = $"{server.ReadPort()}";
        (int exitCode, string output, string error) = SampleProcess.Run(
            Sample, "", "--port", port, "--tls", "--insecure", "--count", "300", "--size", "777");
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        Assert.That(output, Is.EqualTo($"300 messages of 777 bytes came back unchanged.{Environment.NewLine}"));

        (exitCode, _, error) = SampleProcess.Run(Sample, "", "--port", port, "--tls", "--count", "1");
        Assert.That(exitCode, Is.EqualTo(1), "nobody vouches for the certificate");
        Assert.That(error, Does.StartWith($"Can't connect to 127.0.0.1:{port}: the TLS handshake failed: "));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [Test]
    public void ChangedByte_IsFound()
    {
        AssertFails("Byte 1234 came back", static peer =>
        {
            byte[] bytes = peer.Receive(Total);
            bytes[1234] ^= 1;
            peer.Send(bytes);
        });
    }

    // Blocks of the size of a buffer, which a pattern of that period would not tell apart.
    [Test]
    public void SwappedBlocks_AreFound() => AssertFails("Byte 0 came back", static peer =>
    {
        byte[] bytes = peer.Receive(Total);
        peer.Send(bytes.AsSpan(4096, 4096));
        peer.Send(bytes.AsSpan(0, 4096));
        peer.Send(bytes.AsSpan(8192));
    });

    [Test]
    public void RepeatedBlock_IsFound() => AssertFails("Byte 65536 came back", static peer =>
    {
        byte[] bytes = peer.Receive(65_536);
        peer.Send(bytes);
        peer.Send(bytes);
    }, count: 2, size: 65_536);

    [Test]
    public void MoreThanWasSent_IsFound() => AssertFails($"More came back than the {Total} bytes", static peer =>
    {
        peer.Send(peer.Receive(Total));
        Assert.That(peer.ReceiveToEnd(), Is.Empty, "the client ends its stream once it has everything");
        peer.Send("x"u8);
    });

    [Test]
    public void SilentServer_IsGivenUp() => AssertFails($"for 1 s, after 5 of {Total} bytes", static peer =>
    {
        peer.Send(peer.Receive(Total).AsSpan(0, 5));
        Assert.That(peer.ReceiveToEnd, Throws.InstanceOf<SocketException>(), "the client cuts the connection");
    }, timeout: 1);

    [Test]
    public void EarlyEnd_IsFound() => AssertFails($"after 100 of {Total} bytes", static peer =>
    {
        peer.Send(peer.Receive(100));
        peer.Receive(Total - 100);
        peer.EndOutput();
    });

    [Test]
    public void LostConnection_IsReported() => AssertFails("The connection was lost", static peer =>
    {
        peer.Receive(Total);
        peer.Reset();
    });

    [TestCase("127.0.0.1", "Can't connect to 127.0.0.1:")]
    [TestCase("nosuch.invalid", "Can't connect to nosuch.invalid")]
    public void NoServer_IsOneClearLine(string host, string expected)
    {
        int port;
        using (Socket socket = Peer.Listen())
        {
            port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        }

        (int exitCode, string output, string error) = SampleProcess.Run(
            Sample, "", "--host", host, "--port", $"{port}");

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.StartWith(expected));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [Test]
    public void ServerThatEndsBeforeTheInput_IsReported()
    {
        using Socket listener = Peer.Listen();
        using var client = SampleProcess.Start(Sample, "--port", $"{((IPEndPoint)listener.LocalEndPoint!).Port}");
        using (var peer = Peer.Accept(listener))
        {
            peer.EndOutput();
            AssertOneLine(client, "before the input had ended");
        }
    }

    [Test]
    public void UnreadableInput_IsReported()
    {
        using var server = SampleProcess.Start("EchoServer", "--port", "0");
        using var client = SampleProcess.StartRedirected("< /", Sample, "--port", $"{server.ReadPort()}");

        AssertOneLine(client, "Can't read standard input: ");
    }

    [Test]
    [Platform("Linux")]
    public void FullOutput_IsReported()
    {
        using var server = SampleProcess.Start("EchoServer", "--port", "0");
        string port = $"{server.ReadPort()}";
        using var client = SampleProcess.StartRedirected("> /dev/full < /etc/passwd", Sample, "--port", port);

        AssertOneLine(client, "space");
    }

    // 141 is what a shell reports of tools that SIGPIPE has ended.
    [Test]
    public void OutputThatNobodyReads_EndsItQuietly()
    {
        using var server = SampleProcess.Start("EchoServer", "--port", "0");
        using var client = SampleProcess.StartPiped(
            "yes 2> /dev/null", "head -n1", Sample, "--port", $"{server.ReadPort()}");

        Assert.That(client.WaitForExit(), Is.EqualTo((0, "y\n141\n", "")));
    }

    [Test]
    public void ClosedOutput_IsReported()
    {
        using var server = SampleProcess.Start("EchoServer", "--port", "0");
        string port = $"{server.ReadPort()}";
        using var client = SampleProcess.StartRedirected(">&- < /etc/passwd", Sample, "--port", port);

        AssertOneLine(client, "Can't write standard output: ");
    }

    [Test]
    public void HostName_IsResolved()
    {
        (int exitCode, string output, string error) = RunAgainstServer("hi\n", "--host", "localhost");

        Assert.That((exitCode, output, error), Is.EqualTo((0, "hi\n", "")));
    }

    [TestCase("--count", "0")]
    [TestCase("--count", "99999999999")]
    [TestCase("--count", "1", "--size", "-1")]
    [TestCase("--count", "1", "--size", "many")]
    [TestCase("--count", "1", "--timeout", "0")]
    public void WrongNumber_IsNamed(params string[] arguments) =>
        AssertRefused($"{arguments[^2]} takes a number above 0.", arguments);

    [TestCase("--size")]
    [TestCase("--timeout")]
    public void OptionOfCheckedRun_GoesWithCountOnly(string option) =>
        AssertRefused($"{option} goes with --count only.", option, "5");

    [Test]
    public void WrongPort_IsNamed() => AssertRefused("'70000' for option '--port'", "--port", "70000");

    [Test]
    public void EmptyHost_IsNamed() => AssertRefused("--host takes an address or a name.", "--host", "");

    [Test]
    public void Help_NamesTheOptions()
    {
        (int exitCode, string output, _) = SampleProcess.Run(Sample, "", "--help");

        Assert.That(exitCode, Is.Zero);
        Assert.That(
            output,
            Does.Contain("--host").And.Contain("--port").And.Contain("--count").And.Contain("--size"));
    }

    private static void AssertRefused(string expected, params string[] arguments)
    {
        (int exitCode, _, string error) = SampleProcess.Run(Sample, "", arguments);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain(expected).And.Not.Contains("   at "));
    }

    private static (int ExitCode, string Output, string Error) RunAgainstServer(
        string input, params string[] arguments)
    {
        using var server = SampleProcess.Start("EchoServer", "--port", "0");
        return SampleProcess.Run(Sample, input, ["--port", $"{server.ReadPort()}", .. arguments]);
    }

    private static void AssertFails(
        string expected, Action<Peer> serve, int count = Count, int size = Size, int timeout = 60)
    {
        using Socket listener = Peer.Listen();
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        using var client = SampleProcess.Start(
            Sample, "--port", $"{port}", "--count", $"{count}", "--size", $"{size}", "--timeout", $"{timeout}");
        using (var peer = Peer.Accept(listener))
        {
            serve(peer);
        }

        AssertOneLine(client, expected);
    }

    private static void AssertOneLine(SampleProcess client, string expected)
    {
        (int exitCode, string output, string error) = client.WaitForExit();

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.Contain(expected));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }
}
