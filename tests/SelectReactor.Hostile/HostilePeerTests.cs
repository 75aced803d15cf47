using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hostile;

/// <summary>Many peers that mean harm, against servers in this process and in child processes.</summary>
[TestFixture("select")]
[TestFixture("epoll")]
public sealed class HostilePeerTests(string selector)
{
    /// <summary>What the runtime opens for itself when something is used for the first time.</summary>
    private const int OfTheRuntime = 10;

    private static readonly TimeSpan _messageTimeout = TimeSpan.FromSeconds(1);
    private ReactorThread _thread = null!;
    private int _descriptors;
    private long _memory;

    [SetUp]
    public void Start()
    {
        _descriptors = OpenDescriptors();
        _memory = GC.GetTotalMemory(forceFullCollection: true);
        _thread = new ReactorThread(selector == "epoll"
            ? new ReactorOptions().UseEpoll()
            : new ReactorOptions());
    }

    [TearDown]
    public void Stop()
    {
        _thread.Dispose();
        Assert.That(_thread.Reactor.Buffers.Outstanding, Is.Zero, "segments not given back");
        Assert.That(_thread.Reactor.Clients, Is.Empty, "connections left");
        _thread = null!;
        Assert.That(
            GC.GetTotalMemory(forceFullCollection: true) - _memory,
            Is.LessThan(10_000_000),
            "bytes of managed memory");
        Client.Await(() => OpenDescriptors() <= _descriptors + OfTheRuntime, "all descriptors are free again");
    }

    [Test]
    public void TwentyThousandConnectsAndResets_LeaveNothing()
    {
        Listener listener = Listen(new Echo(), new ListenerOptions());
        Cycle(1000);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Cycle(19_000);
        Client.Await(() => listener.ConnectionCount == 0, "nobody is left");

        Assert.That(
            GC.GetTotalMemory(forceFullCollection: true) - before,
            Is.LessThan(4_000_000),
            "bytes; 19,000 connections would be more than 20 million");
        Assert.That(Client.Echoes(listener.LocalEndPoint, "hello"u8));

        void Cycle(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                var client = new Client(listener.LocalEndPoint);
                if (i % 3 == 0)
                {
                    client.Socket.Send("x"u8);
                }

                client.Reset();
            }
        }
    }

    [Test]
    public void SlowHeaders_AreCutOff_WhileOthersAreServed()
    {
        Listener listener = Listen(new Lines(), new ListenerOptions
        {
            Connection =
                new ConnectionOptions { MessageTimeout = _messageTimeout, FirstByteTimeout = _messageTimeout },
        });
        Client[] slow = [.. Enumerable.Range(0, 200).Select(_ => new Client(listener.LocalEndPoint))];
        int trickles = 0;
        Client.Await(
            () =>
            {
                // The first one never says a word.
                foreach (Client client in slow.Skip(1))
                {
                    client.Socket.Send("x"u8, SocketFlags.None, out _);
                }

                trickles++;
                Assert.That(Client.Echoes(listener.LocalEndPoint, "GET\n"u8), "others are served");
                return listener.ConnectionCount == 0;
            },
            "all slow ones are cut");

        Assert.That(trickles, Is.GreaterThan(3));
        Array.ForEach(slow, static client => client.Dispose());
    }

    [Test]
    public void SlowReaders_AreCutOff()
    {
        Listener listener = Listen(new Echo(), new ListenerOptions
        {
            Connection = new ConnectionOptions { WriteProgressTimeout = _messageTimeout },
        });
        Client[] slow = [.. Enumerable.Range(0, 20).Select(_ => new Client(listener.LocalEndPoint))];
        byte[] flood = new byte[64 * 1024];
        byte[] one = new byte[1];
        Array.ForEach(slow, static client => client.Socket.Blocking = false);
        Client.Await(
            () =>
            {
                foreach (Client client in slow)
                {
                    client.Socket.Send(flood, SocketFlags.None, out _);
                    client.Socket.Receive(one, SocketFlags.None, out _);
                }

                return listener.ConnectionCount == 0;
            },
            "all slow ones are cut");
        Array.ForEach(slow, static client => client.Dispose());
    }

    [Test]
    public void RandomBytes_HarmNoProtocolServer()
    {
        using var server = Server.Start("KeyValueServer", arguments: $"--port 0 --selector {selector}");
        int before = server.Descriptors + OfTheRuntime;
        var random = new Random(1);
        for (int i = 0; i < 500; i++)
        {
            using var client = new Client(server.Address);
            byte[] bytes = new byte[random.Next(1, 2000)];
            random.NextBytes(bytes);
            bytes[0] = (byte)"*$+-:\r\n\0G"[random.Next(9)];
            client.Socket.Send(bytes, SocketFlags.None, out _);
        }

        using var good = new Client(server.Address);
        good.Socket.Send("PING\r\n"u8);
        Assert.That(good.Receive(7), Is.EqualTo("+PONG\r\n"u8.ToArray()));
        Client.Await(() => server.Descriptors <= before, "all descriptors are free again");
        Assert.That(server.ResidentBytes, Is.LessThan(300_000_000));
    }

    [Test]
    public void NetworkThatDelaysSplitsAndCuts_LosesNoByteOfTheOthers([Values(1, 2, 3)] int seed)
    {
        Listener listener = Listen(new Echo(), new ListenerOptions());
        using var proxy = new ChaosProxy(listener.LocalEndPoint, seed);
        byte[] bytes = new byte[40_000];
        new Random(seed).NextBytes(bytes);
        bool[] whole = new bool[60];
        Parallel.For(
            0,
            whole.Length,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            i => whole[i] = Client.Echoes(proxy.Address, bytes));

        Assert.That(whole.Count(static each => each), Is.EqualTo(whole.Length - proxy.Cut));
        Assert.That(proxy.Cut, Is.InRange(1, whole.Length - 1));
        Client.Await(() => listener.ConnectionCount == 0, "nobody is left");
    }

    [Test]
    public void Shutdown_AmongPeersThatFloodStallAndVanish_EndsAtTheDeadline()
    {
        Listener listener = Listen(new Echo(), new ListenerOptions());
        Client[] clients = [.. Enumerable.Range(0, 40).Select(_ => new Client(listener.LocalEndPoint))];
        Client.Await(() => listener.ConnectionCount == clients.Length, "all are connected");
        byte[] flood = new byte[256 * 1024];
        using var end = new CancellationTokenSource();
        var flooding = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                // A quarter floods and never reads; the others say something once, half-close, or do nothing.
                foreach (Client client in clients.Where(static (_, i) => i % 4 == 0))
                {
                    client.Socket.Blocking = false;
                    client.Socket.Send(flood, SocketFlags.None, out _);
                }
            }
        });
        for (int i = 0; i < clients.Length; i++)
        {
            if (i % 4 == 1)
            {
                clients[i].Socket.Send("x"u8);
            }
            else if (i % 4 == 2)
            {
                clients[i].Socket.Shutdown(SocketShutdown.Send);
            }
        }

        Task shutdown = _thread.Reactor.ShutdownAsync(TimeSpan.FromSeconds(1));
        Assert.That(shutdown.Wait(TimeSpan.FromSeconds(10)), "it ends, whatever the peers do");
        Assert.That(listener.ConnectionCount, Is.Zero);
        end.Cancel();
        flooding.Wait();
        Array.ForEach(clients, static client => client.Dispose());
    }

    private static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd").Length;

    private Listener Listen(IConnectionHandler handler, ListenerOptions options) => _thread.Reactor.InvokeAsync(
        () => _thread.Reactor.Listen(new IPEndPoint(IPAddress.Loopback, 0), handler, options)).Result;

    private sealed class Echo : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                connection.Output.Write(result.Buffer.ToArray());
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }

    private sealed class Lines : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
            if (!connection.Input.TryRead(out ReadResult result))
            {
                return;
            }

            ReadOnlySequence<byte> rest = result.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                SequencePosition next = rest.GetPosition(1, end);
                connection.Output.Write(rest.Slice(0, next).ToArray());
                rest = rest.Slice(next);
            }

            connection.Input.AdvanceTo(rest.Start, rest.End);
        }
    }
}
