using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

/// <summary>Each side sees what the other one does: bytes, ends of streams, resets, and pauses.</summary>
[Platform("Linux,MacOsX")]
public sealed class PortForwarderTests
{
    private const string Sample = "PortForwarder";
    private const int Total = 32 * 1024 * 1024;
    private Socket _listener = null!;
    private SampleProcess _forwarder = null!;
    private IPEndPoint _address = null!;

    [SetUp]
    public void Start()
    {
        _listener = Peer.Listen(backlog: 256);
        _forwarder = Forward($"{_listener.LocalEndPoint}");
        _address = new IPEndPoint(IPAddress.Loopback, _forwarder.ReadPort());
    }

    [TearDown]
    public void Stop()
    {
        _forwarder.Dispose();
        _listener.Dispose();
    }

    [Test]
    public void ManyBytesEachWayAtOnce_ArriveWhole()
    {
        (Peer client, Peer server) = Connect();
        BytePattern up = new(1), down = new(2);
        Run(
            () => Send(client, up), () => Check(server, up), () => Send(server, down), () => Check(client, down));
        client.Dispose();
        server.Dispose();
    }

    // Neither reads before it has sent everything: a direction that waits for the other one would wait for ever.
    [Test]
    public void DirectionThatIsNotRead_DoesNotHoldTheOther([Values] bool clientSendsFirst)
    {
        (Peer client, Peer server) = Connect();
        (Peer first, Peer second) = clientSendsFirst ? (client, server) : (server, client);
        BytePattern there = new(1), back = new(2);
        using var isSent = new ManualResetEventSlim();
        Run(
            () =>
            {
                Send(first, there);
                isSent.Set();
                Check(first, back);
            },
            () => Check(second, there),
            () => Send(second, back));
        Assert.That(isSent.IsSet);
        client.Dispose();
        server.Dispose();
    }

    [Test]
    public void EndOfStream_IsForwarded_AndTheOtherDirectionGoesOn([Values] bool clientEndsFirst)
    {
        (Peer client, Peer server) = Connect();
        (Peer first, Peer second) = clientEndsFirst ? (client, server) : (server, client);
        first.Send("question"u8);
        first.EndOutput();
        Assert.That(second.ReceiveToEnd(), Is.EqualTo("question"u8.ToArray()));

        second.Send("an answer, "u8);
        Assert.That(first.Receive(11), Is.EqualTo("an answer, "u8.ToArray()));
        second.Send("and its end"u8);
        second.EndOutput();
        Assert.That(first.ReceiveToEnd(), Is.EqualTo("and its end"u8.ToArray()));
        client.Dispose();
        server.Dispose();
        AssertEndsWith("Forwarded 1 connections.");
    }

    [Test]
    public void Reset_IsForwarded([Values] bool byClient, [Values] bool afterItsEndOfStream)
    {
        (Peer client, Peer server) = Connect();
        (Peer first, Peer second) = byClient ? (client, server) : (server, client);
        first.Send("x"u8);
        Assert.That(second.Receive(1), Has.Length.EqualTo(1));
        if (afterItsEndOfStream)
        {
            first.EndOutput();
            Assert.That(second.ReceiveToEnd(), Is.Empty);
            first.Reset();

            // A receive goes on to report the end of the stream.
            Assert.That(second.Socket.Poll(TimeSpan.FromSeconds(20), SelectMode.SelectError));
        }
        else
        {
            first.Reset();
            AssertIsReset(second);
        }

        second.Dispose();
    }

    // The side that is cut waits for room, and is not read meanwhile.
    [Test]
    public void Reset_IsForwarded_WhileTheOtherSideDoesNotRead([Values] bool byClient)
    {
        (Peer client, Peer server) = Connect();
        (Peer first, Peer second) = byClient ? (client, server) : (server, client);
        FillUp(first);
        first.Reset();

        Assert.That(second.ReceiveToEnd, Throws.InstanceOf<SocketException>());
        second.Dispose();
    }

    [Test]
    public void TargetThatDoesNotListen_ResetsTheClient_AndSaysWhy()
    {
        int port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _listener.Dispose();
        using (var client = Peer.Connect(_address))
        {
            AssertIsReset(client);
        }

        _forwarder.Signal("TERM");
        (int exitCode, _, string error) = _forwarder.WaitForExit();
        Assert.That(exitCode, Is.Zero);
        Assert.That(error, Does.StartWith($"Can't connect to 127.0.0.1:{port}: "));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [Test]
    public void ManyClients_AreServedAtOnce()
    {
        Peer[] clients = [.. Enumerable.Range(0, 200).Select(_ => Peer.Connect(_address))];
        Peer[] servers = [.. clients.Select(_ => Peer.Accept(_listener))];
        for (int i = 0; i < clients.Length; i++)
        {
            clients[i].Send([(byte)i]);
        }

        Assert.That(
            servers.Select(static server => (int)server.Receive(1)[0]), Is.EquivalentTo(Enumerable.Range(0, 200)));
        Array.ForEach([.. clients, .. servers], static peer => peer.Dispose());
        AssertEndsWith("Forwarded 200 connections.");
    }

    [Test]
    public void OpenConnection_IsForwardedWhileDraining()
    {
        int target = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        using SampleProcess forwarder = Forward($"localhost:{target}", "--drain", "3600");
        var address = new IPEndPoint(IPAddress.Loopback, forwarder.ReadPort());
        using var client = Peer.Connect(address);
        using var server = Peer.Accept(_listener);
        client.Send("x"u8);
        Assert.That(server.Receive(1), Has.Length.EqualTo(1));

        forwarder.Signal("TERM");
        Assert.That(() => Peer.CanConnect(address), Is.False.After(20_000, 10));
        server.Send("y"u8);
        server.EndOutput();
        Assert.That(client.ReceiveToEnd(), Is.EqualTo("y"u8.ToArray()));
        client.EndOutput();
        Assert.That(server.ReceiveToEnd(), Is.Empty);
        Assert.That(forwarder.WaitForExit().ExitCode, Is.Zero);
    }

    [TestCase("--listen takes HOST:PORT, not 7007.", "--listen", "7007", "--target", "127.0.0.1:1")]
    [TestCase("--target takes HOST:PORT, not a:b.", "--listen", "127.0.0.1:0", "--target", "a:b")]
    [TestCase("--target takes HOST:PORT, not a:70000.", "--listen", "127.0.0.1:0", "--target", "a:70000")]
    [TestCase("Option '--target' is required.", "--listen", "127.0.0.1:0")]
    [TestCase("localhost is a host name", "--listen", "localhost:0", "--target", "127.0.0.1:1")]
    public void WrongArguments_AreNamed(string expected, params string[] arguments)
    {
        (int exitCode, _, string error) = SampleProcess.Run(Sample, "", arguments);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain(expected).And.Not.Contains("   at "));
    }

    private static SampleProcess Forward(string target, params string[] more) => SampleProcess.Start(
        Sample, ["--listen", "127.0.0.1:0", "--target", target, .. more]);

    private (Peer Client, Peer Server) Connect() => (Peer.Connect(_address), Peer.Accept(_listener));

    private void AssertEndsWith(string summary)
    {
        _forwarder.Signal("TERM");
        Assert.That(_forwarder.WaitForExit(), Is.EqualTo((0, summary + Environment.NewLine, "")));
    }

    private static void AssertIsReset(Peer peer) => Assert.That(
        () => peer.Receive(1),
        Throws.InstanceOf<SocketException>().With.Property("SocketErrorCode").EqualTo(SocketError.ConnectionReset));

    private static void FillUp(Peer peer)
    {
        peer.Socket.SendTimeout = 1000;
        byte[] block = new byte[64 * 1024];
        Assert.That(
            () =>
            {
                while (true)
                {
                    peer.Socket.Send(block);
                }
            },
            Throws.InstanceOf<SocketException>());
    }

    private static void Run(params Action[] actions) => Assert.That(
        Task.WaitAll(
            [
                .. actions.Select(static action => Task.Factory.StartNew(
                    action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)),
            ],
            TimeSpan.FromMinutes(1)));

    // Ends the stream.
    private static void Send(Peer peer, BytePattern pattern)
    {
        for (int sent = 0; sent < Total;)
        {
            ReadOnlySpan<byte> next = pattern.At(sent, Total - sent).Span;
            peer.Send(next);
            sent += next.Length;
        }

        peer.EndOutput();
    }

    private static void Check(Peer peer, BytePattern pattern)
    {
        byte[] received = peer.ReceiveToEnd();
        Assert.That(received, Has.Length.EqualTo(Total));
        Assert.That(pattern.Matches(received, 0), "every byte");
    }
}
