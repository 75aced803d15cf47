using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

public sealed class TestServerTests
{
    [Test]
    public void SharedHandler_Broadcasts()
    {
        using var server = new TestServer(new Chat());
        TestConnection ann = server.Connect(), bob = server.Connect(), cat = server.Connect();

        ann.ReceiveText("hello");

        Assert.That(bob.TakeSentText(), Is.EqualTo("hello"));
        Assert.That(cat.TakeSentText(), Is.EqualTo("hello"));
        Assert.That(ann.TakeSentText(), Is.Empty);

        bob.EndInput();
        Assert.That(bob.IsClosed, Is.True);
        cat.ReceiveText("bye");
        Assert.That(ann.TakeSentText(), Is.EqualTo("bye"));
        Assert.That(server.Reactor.Connections, Has.Count.EqualTo(2));
    }

    [Test]
    public void SlowClient_DoesNotHoldUpTheOthers()
    {
        using var server = new TestServer(new Chat());
        TestConnection ann = server.Connect(), slow = server.Connect(peerReads: false), bob = server.Connect();
        Assert.That((slow.PeerReads, bob.PeerReads), Is.EqualTo((false, true)));

        ann.Receive(new byte[200_000]);

        Assert.That(bob.TakeSent(), Has.Length.EqualTo(200_000));
        Assert.That(slow.TakeSent(), Is.Empty);
        Assert.That(slow.Connection.QueuedOutputBytes, Is.EqualTo(200_000 - 131_072));
        slow.PeerReads = true;
        Assert.That(slow.TakeSent(), Has.Length.EqualTo(200_000));
    }

    [Test]
    public void HandlerFactory_MakesOneEach()
    {
        var made = new List<Script>();
        using var server = new TestServer(_ =>
        {
            made.Add(new Script());
            return made[^1];
        });
        TestConnection one = server.Connect(), other = server.Connect();
        one.ReceiveText("1");
        other.ReceiveText("2");

        Assert.That(made.Select(static script => script.Events), Is.EqualTo(new[]
        {
            new[] { "connected", "read 1" }, ["connected", "read 2"],
        }));
        Assert.That((one.Connection.Handler, other.Connection.Handler), Is.EqualTo((made[0], made[1])));
    }

    [Test]
    public void Options_ReachTheConnections([Values] bool shared)
    {
        var options = new ConnectionOptions { MaxInputBytes = 10, InputPauseThreshold = 10 };
        var handler = new Script();
        using TestServer server = shared ? new TestServer(handler, options) : new TestServer(_ => handler, options);
        TestConnection client = server.Connect();

        Assert.That(client.Connection.State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void AsynchronousMethod_ServesEachConnection()
    {
        using var server = new TestServer(EchoOnceAsync);
        TestConnection one = server.Connect(), other = server.Connect();
        one.ReceiveText("1");
        other.ReceiveText("2");

        Assert.That((one.TakeSentText(), other.TakeSentText()), Is.EqualTo(("1", "2")));
        Assert.That((one.IsClosed, other.IsClosed), Is.EqualTo((true, true)));
    }

    [Test]
    public void ListenerOfTheCodeUnderTest_IsConnectedTo()
    {
        using var server = new TestServer();
        using Listener listener = server.Reactor.Listen(server.EndPoint, new Echo());
        TestConnection client = server.Connect();
        client.ReceiveText("x");

        Assert.That(client.TakeSentText(), Is.EqualTo("x"));
        Assert.That(client.Connection.LocalEndPoint, Is.EqualTo(server.EndPoint));
        Assert.That(server.Reactor.Connections, Is.EqualTo(new[] { client.Connection }));
    }

    [Test]
    public void Clients_HaveAddressesOfTheirOwn()
    {
        using var server = new TestServer(new Echo());
        IPAddress[] addresses =
        [
            .. Enumerable.Range(0, 3).Select(_ => ((IPEndPoint)server.Connect().Connection.RemoteEndPoint!).Address),
        ];

        Assert.That(addresses, Is.Unique);
    }

    [Test]
    public void NobodyListens_SaysSo()
    {
        using var server = new TestServer();

        Assert.That(
            () => server.Connect(),
            Throws.InstanceOf<SimulationException>().With.Message.Contains("does anybody listen"));
        using Listener listener = server.Reactor.Listen(server.EndPoint, new Echo());
        Assert.That(server.Connect().IsClosed, Is.False);
    }

    [Test]
    public void RefusedClient_IsTold_AndTheServerGoesOn()
    {
        using var server = new TestServer();
        var options = new ListenerOptions { MaxConnections = 1, WhenFull = WhenFull.Refuse };
        using Listener listener = server.Reactor.Listen(server.EndPoint, new Echo(), options);
        TestConnection first = server.Connect();

        Assert.That(() => server.Connect(), Throws.InstanceOf<SimulationException>());
        first.ReceiveText("x");
        Assert.That(first.TakeSentText(), Is.EqualTo("x"));
    }

    [Test]
    public void HandlerThatClosesAtOnce_IsSeen([Values] bool abort)
    {
        using var server = new TestServer(new Script
        {
            Connected = connection =>
            {
                connection.TryWrite("full"u8);
                if (abort)
                {
                    connection.Abort();
                }
                else
                {
                    connection.Close();
                }
            },
        });
        TestConnection client = server.Connect();

        Assert.That(client.CloseReason?.Kind, Is.EqualTo(abort ? CloseKind.Aborted : CloseKind.Local));
        Assert.That(client.TakeSentText(), Is.EqualTo(abort ? "" : "full"));
    }

    [Test]
    public void ExceptionOfAHandler_IsThrownWhereItHappened()
    {
        using var server = new TestServer(new Script
        {
            Connected = static _ => throw new NotSupportedException("at first"),
        });

        Assert.That(() => server.Connect(), Throws.InstanceOf<NotSupportedException>());
        Assert.That(server.Run, Throws.Nothing);
    }

    [Test]
    public void Time_IsThatOfAllConnections()
    {
        using var server = new TestServer(new Chat());
        TestConnection ann = server.Connect(), bob = server.Connect();
        server.Reactor.Schedule(
            TimeSpan.FromMinutes(1), () => ann.Connection.TryWrite("ding"u8));
        bob.Advance(TimeSpan.FromSeconds(59));
        Assert.That(ann.TakeSentText(), Is.Empty);
        server.Advance(TimeSpan.FromSeconds(1));

        Assert.That(ann.TakeSentText(), Is.EqualTo("ding"));
        Assert.That((ann.Clock, server.Clock.Elapsed), Is.EqualTo((server.Clock, TimeSpan.FromMinutes(1))));
    }

    [Test]
    public void Shutdown_DrainsTheConnections()
    {
        using var server = new TestServer(new Chat());
        TestConnection ann = server.Connect();
        Task shutdown = server.Reactor.ShutdownAsync(TimeSpan.FromSeconds(5));
        server.Run();
        server.Advance(TimeSpan.FromSeconds(10));

        Assert.That(shutdown.IsCompletedSuccessfully, Is.True);
        Assert.That(ann.CloseReason?.Kind, Is.EqualTo(CloseKind.ReactorStopped));
    }

    [Test]
    public void DisposedClient_StaysOpen_UntilTheServerIsDisposed()
    {
        var server = new TestServer(new Echo());
        TestConnection client = server.Connect();
        client.Dispose();
        client.ReceiveText("x");
        Assert.That(client.TakeSentText(), Is.EqualTo("x"));

        server.Dispose();
        server.Dispose();
        Assert.That(client.CloseReason?.Kind, Is.EqualTo(CloseKind.ReactorStopped));
        Assert.That(() => server.Connect(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => client.ReceiveText("x"), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Callbacks_CanNotDriveTheServer()
    {
        TestServer server = null!;
        using TestServer made = server = new TestServer(new Script
        {
            Connected = _ => Assert.That(() => server.Connect(), Throws.InvalidOperationException),
        });

        Assert.That(() => server.Connect(), Throws.Nothing);
    }

    [Test]
    public void NullArguments_AreRefused() => Assert.Multiple(static () =>
    {
        var options = new ConnectionOptions();
        Assert.That(static () => new TestServer((IConnectionHandler)null!), Throws.ArgumentNullException);
        Assert.That(
            static () => new TestServer((Func<Connection, IConnectionHandler>)null!), Throws.ArgumentNullException);
        Assert.That(
            static () => new TestServer((Func<Connection, CancellationToken, Task>)null!),
            Throws.ArgumentNullException);
        Assert.That(static () => new TestServer(new Echo(), null!), Throws.ArgumentNullException);
        Assert.That(() => new TestServer((IConnectionHandler)null!, options), Throws.ArgumentNullException);
    });

    private static async Task EchoOnceAsync(Connection connection, CancellationToken closed)
    {
        ReadResult result = await connection.Input.ReadAsync(closed);
        foreach (ReadOnlyMemory<byte> segment in result.Buffer)
        {
            await connection.Output.WriteAsync(segment, closed);
        }

        connection.Input.AdvanceTo(result.Buffer.End);
    }

    /// <summary>Sends what one says to all the others.</summary>
    private sealed class Chat : ConnectionHandler
    {
        private readonly List<Connection> _members = [];

        public override void OnConnected(Connection connection) => _members.Add(connection);

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                byte[] said = result.Buffer.ToArray();
                connection.Input.AdvanceTo(result.Buffer.End);
                _members.Where(member => member != connection).ToList().ForEach(member => member.TryWrite(said));
            }
        }

        public override void OnClosed(Connection connection, CloseReason reason) => _members.Remove(connection);
    }
}
