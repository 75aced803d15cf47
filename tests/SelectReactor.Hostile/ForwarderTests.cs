using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Hostile;

/// <summary>The port forwarder under more traffic than buffers hold, with ends that stall or break off.</summary>
[TestFixture("select")]
[TestFixture("epoll")]
public sealed class ForwarderTests(string selector)
{
    private const int BlockLength = 256 * 1024;

    /// <summary>Of the forwarder's process at its peak: the runtime itself has most of it.</summary>
    private const int MaxMegabytes = 120;

    /// <summary>Files that the runtime opens when something is used for the first time.</summary>
    private const int OfTheRuntime = 10;

    private Socket _target = null!;
    private Server _forwarder = null!;

    [SetUp]
    public void Start()
    {
        _target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _target.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _target.Listen(512);
        _forwarder = Server.Start(
            "PortForwarder",
            arguments: $"--listen 127.0.0.1:0 --target {_target.LocalEndPoint} --selector {selector}");
    }

    [TearDown]
    public void Stop()
    {
        _forwarder.Dispose();
        _target.Dispose();
    }

    [Test]
    public void FourGigabytesEachWayAtOnce_ArriveWhole_InBoundedMemory()
    {
        var watch = Stopwatch.StartNew();
        Exchange(Connect(), 4L * 1024 * 1024 * 1024);

        Assert.That(PeakMegabytes, Is.LessThan(MaxMegabytes));
        TestContext.Out.WriteLine($"{8.59e3 / watch.Elapsed.TotalSeconds:0} MB/s, {PeakMegabytes} MB");
    }

    [Test]
    public void ReaderThatStandsStill_HoldsItsSenderOnly_AndLosesNothing([Values] bool isClient)
    {
        (Client client, Client server) = Connect();
        (Client sender, Client reader) = isClient ? (server, client) : (client, server);
        var pattern = new BytePattern(1);
        long sent = FillUp(sender, pattern);
        Exchange(Connect(), 256 * 1024 * 1024);
        Assert.That(FillUp(sender, pattern, sent), Is.EqualTo(sent), "no buffer grows");

        sender.Socket.Shutdown(SocketShutdown.Send);
        Check(reader, pattern, sent);
        Assert.That(PeakMegabytes, Is.LessThan(MaxMegabytes));
        sender.Dispose();
        reader.Dispose();
    }

    // In turns the client ends its stream first, the server does, the client resets, and the server does; in half of
    // the cases every buffer is full by then.
    [Test]
    public void EndsAndResets_OfManyConnectionsAtOnce_ReachTheirPeers_AndLeaveNothing()
    {
        Exchange(Connect(), 1_000_000);
        int before = _forwarder.Descriptors + OfTheRuntime;
        var pattern = new BytePattern(1);
        (Client Client, Client Server)[] pairs = [.. Enumerable.Range(0, 200).Select(_ => Connect())];
        Parallel.For(0, pairs.Length, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            (Client client, Client server) = pairs[i];
            (Client first, Client second) = i % 2 == 0 ? (client, server) : (server, client);
            bool ends = i % 4 < 2;
            long sent = i % 8 < 4 ? FillUp(first, pattern) : 0;
            if (ends)
            {
                first.Socket.Shutdown(SocketShutdown.Send);
                Check(second, pattern, sent);
                Send(second, pattern, 1000);
                Check(first, pattern, 1000);
            }
            else
            {
                first.Reset();
                Assert.That(() => Check(second, pattern, long.MaxValue), Throws.InstanceOf<SocketException>());
            }

            first.Dispose();
            second.Dispose();
        });
        Client.Await(() => _forwarder.Descriptors <= before, "all descriptors are free again");
        Assert.That(PeakMegabytes, Is.LessThan(MaxMegabytes));
        Exchange(Connect(), 1_000_000);
    }

    private long PeakMegabytes => long.Parse(
        File.ReadLines($"/proc/{_forwarder.Pid}/status")
            .First(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture) / 1024;

    private (Client Client, Client Server) Connect()
    {
        var client = new Client(_forwarder.Address);
        return (client, new Client(_target.Accept()));
    }

    // Both ways at once, and every byte is looked at.
    private static void Exchange((Client Client, Client Server) pair, long total)
    {
        BytePattern up = new(1), down = new(2);
        Task[] copying =
        [
            Run(() => Send(pair.Client, up, total)), Run(() => Check(pair.Server, up, total)),
            Run(() => Send(pair.Server, down, total)), Run(() => Check(pair.Client, down, total)),
        ];
        Assert.That(Task.WaitAll(copying, TimeSpan.FromMinutes(3)), "all arrives in time");
        pair.Client.Dispose();
        pair.Server.Dispose();
    }

    private static Task Run(Action action) => Task.Factory.StartNew(
        action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    // Ends the stream.
    private static void Send(Client client, BytePattern pattern, long total)
    {
        for (long sent = 0; sent < total;)
        {
            sent += client.Socket.Send(pattern.At(sent, (int)Math.Min(BlockLength, total - sent)).Span);
        }

        client.Socket.Shutdown(SocketShutdown.Send);
    }

    // Sends until nothing has been taken for a second, and returns how much was sent in all.
    private static long FillUp(Client client, BytePattern pattern, long sent = 0)
    {
        client.Socket.Blocking = false;
        while (client.Socket.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectWrite))
        {
            sent += client.Socket.Send(pattern.At(sent, BlockLength).Span, SocketFlags.None, out _);
        }

        client.Socket.Blocking = true;
        return sent;
    }

    private static void Check(Client client, BytePattern pattern, long total)
    {
        byte[] block = new byte[BlockLength];
        long received = 0;
        for (int now; (now = client.Socket.Receive(block)) > 0; received += now)
        {
            Assert.That(pattern.Matches(block.AsSpan(0, now), received), $"changed after byte {received}");
        }

        Assert.That(received, Is.EqualTo(total));
    }
}
