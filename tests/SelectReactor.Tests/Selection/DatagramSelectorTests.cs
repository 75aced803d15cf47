using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>Datagram sockets in a reactor, on each selector.</summary>
[TestFixtureSource(typeof(SelectorKind), nameof(SelectorKind.All))]
public sealed class DatagramSelectorTests(SelectorKind kind)
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);
    private readonly SocketAddress _sender = new(AddressFamily.InterNetwork);
    private readonly List<Handle> _handles = [];
    private Reactor _reactor = null!;

    [SetUp]
    public void Open() => _reactor = new Reactor(new ReactorOptions { SelectorFactory = kind.Create });

    [TearDown]
    public void Close()
    {
        _reactor.Dispose();
        _handles.ForEach(static handle => handle.Dispose());
        _handles.Clear();
    }

    [Test]
    public void EchoOfManyClients_OnOneHandle()
    {
        Handle server = Bound();
        byte[] buffer = new byte[100];
        Register(server, Interest.Read, () =>
        {
            while (server.ReceiveFrom(buffer, _sender, out int received) == SocketError.Success)
            {
                server.SendTo(buffer.AsSpan(0, received), _sender, out _);
            }
        });
        int answers = 0;
        for (byte i = 0; i < 50; i++)
        {
            byte[] expected = [i, 1];
            Handle client = New();
            byte[] answer = new byte[10];
            var from = new SocketAddress(AddressFamily.InterNetwork);
            client.SendTo(expected, server.LocalEndPoint!.Serialize(), out _);
            Register(client, Interest.Read, () =>
            {
                Assert.That(client.ReceiveFrom(answer, from, out int received), Is.EqualTo(SocketError.Success));
                Assert.That(answer[..received], Is.EqualTo(expected));
                answers++;
            });
        }

        RunUntil(() => answers == 50);
    }

    [Test]
    public void ReadinessOfADatagram_IsLevelTriggered_AndEndsWithIt()
    {
        Handle server = Bound(), client = New();
        int calls = 0;
        Register(server, Interest.Read, () => calls++);
        client.SendTo([], server.LocalEndPoint!.Serialize(), out _);
        RunUntil(() => calls == 2);

        Assert.That(server.ReceiveFrom(new byte[1], _sender, out _), Is.EqualTo(SocketError.Success));
        Assert.That(_reactor.RunOnce(TimeSpan.Zero), Is.Zero);
        Assert.That(calls, Is.EqualTo(2));
    }

    [Test]
    public void Write_IsReadyAtOnce()
    {
        bool wrote = false;
        Register(New(), Interest.Write, () => wrote = true);

        RunUntil(() => wrote);
    }

    // poll(2) reports such an error alone, and Socket.Select tells nothing of it: without help the loop spins.
    [Test]
    public void UnreachablePeer_MakesReadable_AndDoesNotSpin([Values(1, 3)] int clients)
    {
        Handle gone = Bound();
        EndPoint address = gone.LocalEndPoint!;
        gone.Close();
        int refused = 0, calls = 0;
        for (int i = 0; i < clients; i++)
        {
            Handle client = New();
            client.Connect(address);
            client.Send([1], out _);
            Register(client, Interest.Read, () =>
            {
                calls++;
                refused += client.Receive(new byte[1], out _) == SocketError.ConnectionRefused ? 1 : 0;
            });
        }

        RunUntil(() => refused == clients);

        Assert.That(_reactor.RunOnce(TimeSpan.FromMilliseconds(20)), Is.Zero, "nothing is ready any more");
        Assert.That(calls, Is.EqualTo(clients), "only those with an error were called");
    }

    [Test]
    public void UnreachablePeer_LeavesQuietHandlesAlone()
    {
        Handle gone = Bound(), client = New(), quiet = Bound();
        client.Connect(gone.LocalEndPoint!);
        gone.Close();
        bool refused = false;
        Register(quiet, Interest.Read, static () => Assert.Fail("nothing was sent to it"));
        Register(client, Interest.Read, () =>
            refused = client.Receive(new byte[1], out _) == SocketError.ConnectionRefused);
        client.Send([1], out _);

        RunUntil(() => refused);
    }

    [Test]
    public void ReceivingAndSending_AllocateNothing()
    {
        Handle server = Bound(), client = New();
        SocketAddress address = server.LocalEndPoint!.Serialize();
        byte[] buffer = new byte[100];
        Exchange();
        long allocated = Allocations.Least(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                Exchange();
            }
        });

        Assert.That(allocated, Is.Zero);

        void Exchange()
        {
            client.SendTo(buffer, address, out _);
            while (server.ReceiveFrom(buffer, _sender, out _) != SocketError.Success)
            {
                Thread.Yield();
            }

            server.ReceiveFrom(buffer, _sender, out _);
        }
    }

    [Test]
    public void TakenOverSocket_CarriesDatagrams([Values] bool connected)
    {
        Handle server = Bound();
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        if (connected)
        {
            socket.Connect(server.LocalEndPoint!);
        }

        var client = new SocketHandle(socket);
        _handles.Add(client);
        bool arrived = false;
        Register(server, Interest.Read, () => arrived =
            server.ReceiveFrom(new byte[9], _sender, out int received) == SocketError.Success && received == 2);

        Assert.That(client.RemoteEndPoint, Is.EqualTo(connected ? server.LocalEndPoint : null));
        SocketError error = connected
            ? client.Send([1, 2], out _)
            : client.SendTo([1, 2], server.LocalEndPoint!.Serialize(), out _);

        Assert.That(error, Is.EqualTo(SocketError.Success));
        RunUntil(() => arrived);
    }

    [Test]
    [Platform("Linux")]
    public void UnixDatagrams_Arrive_AndTellTheirSender()
    {
        string path = UnixFile.NewPath();
        Handle server = New(AddressFamily.Unix), client = New(AddressFamily.Unix);
        Assert.That(server.Bind(new UnixDomainSocketEndPoint(path)), Is.EqualTo(SocketError.Success));
        var sender = new SocketAddress(AddressFamily.Unix, 110);
        for (int i = 0; i < 2; i++)
        {
            SocketError error = client.SendTo([1, 2], server.LocalEndPoint!.Serialize(), out int sent);
            Assert.That(error, Is.EqualTo(SocketError.Success));
            Assert.That(sent, Is.EqualTo(2));
            error = server.ReceiveFrom(new byte[1], sender, out int received);
            Assert.That(error, Is.EqualTo(SocketError.MessageSize));
            Assert.That(received, Is.EqualTo(1));
        }
    }

    private Handle New(AddressFamily family = AddressFamily.InterNetwork)
    {
        Handle handle = SocketHandleFactory.Instance.CreateDatagram(family);
        _handles.Add(handle);
        return handle;
    }

    private Handle Bound()
    {
        Handle handle = New();
        Assert.That(handle.Bind(new IPEndPoint(IPAddress.Loopback, 0)), Is.EqualTo(SocketError.Success));
        return handle;
    }

    private void Register(Handle handle, Interest interest, Action ready) =>
        _reactor.Register(handle, interest, new Callback(ready));

    private void RunUntil(Func<bool> condition)
    {
        TimeProvider time = TimeProvider.System;
        long start = time.GetTimestamp();
        while (!condition())
        {
            Assert.That(time.GetElapsedTime(start), Is.LessThan(_bound));
            _reactor.RunOnce(_bound);
        }
    }

    private sealed class Callback(Action ready) : IEventHandler
    {
        public void OnReady(SelectionKey key) => ready();
    }
}
