using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>The transport without Kestrel: what it promises to whoever accepts from it.</summary>
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
[TestFixture(TransportKind.Sockets)]
internal sealed class TransportTests(TransportKind transport)
{
    private ServiceProvider _services = null!;
    private EventLog _log = null!;
    private IConnectionListener _listener = null!;

    [SetUp]
    public async Task SetUp()
    {
        _log = new EventLog();
        _services = new ServiceCollection()
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(_log))
            .AddSingleton<TransportReactors>()
            .Configure<SelectReactorTransportOptions>(options =>
            {
                options.ReactorCount = 2;
                options.Scheduling = transport == TransportKind.Inline
                    ? TransportScheduling.Inline
                    : TransportScheduling.ThreadPool;
            })
            .BuildServiceProvider();
        IConnectionListenerFactory factory = transport == TransportKind.Sockets
            ? ActivatorUtilities.CreateInstance<SocketTransportFactory>(_services)
            : ActivatorUtilities.CreateInstance<TransportFactory>(_services);
        _listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
    }

    [TearDown]
    public async Task TearDown()
    {
        await _listener.DisposeAsync();
        await _services.DisposeAsync();
        _log.Dispose();
    }

    [Test]
    public async Task Features_are_those_of_Kestrels_own_transport()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();

        Type[] expected =
        [
            typeof(IConnectionIdFeature),
            typeof(IConnectionItemsFeature),
            typeof(IConnectionLifetimeFeature),
            typeof(IConnectionSocketFeature),
            typeof(IConnectionTransportFeature),
            typeof(IMemoryPoolFeature),
        ];
        Assert.That(
            connection.Features.Select(static feature => feature.Key).OrderBy(static type => type.Name),
            Is.EqualTo(expected));
        Assert.That(connection.Features.Get<IConnectionHeartbeatFeature>(), Is.Null);
        Assert.That(connection.Features.Get<IConnectionCompleteFeature>(), Is.Null);
        Assert.That(
            connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.RemoteEndPoint,
            Is.EqualTo(client.Socket.LocalEndPoint));
        Assert.That(connection.Features.GetRequiredFeature<IMemoryPoolFeature>().MemoryPool, Is.Not.Null);
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(client.Socket.LocalEndPoint));
        Assert.That(connection.LocalEndPoint, Is.EqualTo(client.Socket.RemoteEndPoint));
        Assert.That(connection.ConnectionId, Is.Not.Empty);
        connection.Items["a"] = "b";
        Assert.That(connection.Features.GetRequiredFeature<IConnectionItemsFeature>().Items["a"], Is.EqualTo("b"));
        await connection.DisposeAsync();
        client.Dispose();
    }

    [Test]
    public async Task Bytes_pass_in_both_directions()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();

        await client.SendAsync("ping");
        ReadResult read = await connection.Transport.Input.ReadAtLeastAsync(4).Within();
        Assert.That(Encoding.ASCII.GetString(read.Buffer), Is.EqualTo("ping"));
        connection.Transport.Input.AdvanceTo(read.Buffer.End);
        await connection.Transport.Output.WriteAsync("pong\n"u8.ToArray());

        Assert.That(await client.ReadUntilAsync("\n"), Is.EqualTo("pong\n"));
        await connection.DisposeAsync();
        client.Dispose();
    }

    [Test]
    public async Task Disposing_ends_the_original_pipes_and_sends_what_was_written()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        connection.Transport.Output.Write("last words"u8);
        await connection.Transport.Output.FlushAsync();
        connection.Transport = new Replaced();

        Task disposing = connection.DisposeAsync().AsTask();

        Assert.That(await client.ReadToEndAsync(), Is.EqualTo("last words"));
        await disposing.Within();
        Assert.That(connection.ConnectionClosed.IsCancellationRequested, Is.True);
        client.Dispose();
    }

    [Test]
    public async Task Disposing_does_not_wait_for_the_clients_end_of_stream()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();

        await connection.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(4));

        Assert.That(await client.ReadToEndAsync(), Is.Empty);
        client.Dispose();
    }

    [Test]
    public async Task An_abort_resets_the_connection_and_tells_why()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        var reason = new ConnectionAbortedException("Enough.");

        connection.Abort(reason);

        Assert.That(await client.ReadToErrorAsync(), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(
            async () => await connection.Transport.Input.ReadAsync().Within(),
            Throws.InstanceOf<ConnectionAbortedException>().With.Message.EqualTo("Enough."));
        await connection.DisposeAsync().AsTask().Within();
        EventLog.Entry reset = _log.OfTransport.First(static entry => entry.Id.Id == 8);
        Assert.That(reset.Text, Does.Contain("Enough.").And.Contain(connection.ConnectionId));
        Assert.That(_log.AboveDebug, Is.Empty);
        client.Dispose();
    }

    [Test]
    public async Task A_reset_by_the_client_reads_as_such()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();

        client.Reset();

        Assert.That(
            async () => await connection.Transport.Input.ReadAsync().Within(),
            Throws.InstanceOf<ConnectionResetException>());
        await Waiting.UntilAsync(() => connection.ConnectionClosed.IsCancellationRequested, "It is not closed.");
        await connection.DisposeAsync().AsTask().Within();
        Assert.That(_log.OfTransport.Select(static entry => entry.Id.Id), Has.Member(19));
    }

    [Test]
    public async Task A_clients_end_of_stream_completes_the_input_and_the_output_goes_on()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();

        client.Socket.Shutdown(SocketShutdown.Send);

        ReadResult read = await connection.Transport.Input.ReadAsync().Within();
        Assert.That(read.IsCompleted, Is.True);
        await Waiting.UntilAsync(() => connection.ConnectionClosed.IsCancellationRequested, "The token is not fired.");
        await connection.Transport.Output.WriteAsync("still here"u8.ToArray());
        await connection.DisposeAsync().AsTask().Within();
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo("still here"));
        client.Dispose();
    }

    [Test]
    public async Task An_output_that_fails_resets_the_connection()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();

        await connection.Transport.Output.CompleteAsync(new InvalidOperationException("Broken."));

        Assert.That(await client.ReadToErrorAsync(), Is.EqualTo(SocketError.ConnectionReset));
        await connection.DisposeAsync().AsTask().Within();
        client.Dispose();
    }

    [Test]
    public async Task Flushes_of_a_dead_connection_say_so()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        client.Reset();
        await Waiting.UntilAsync(() => connection.ConnectionClosed.IsCancellationRequested, "It is not closed.");

        FlushResult flush = default;
        for (int i = 0; i < 1000 && !flush.IsCompleted; i++)
        {
            flush = await connection.Transport.Output.WriteAsync(new byte[1000]).Within();
            await Task.Delay(1);
        }

        Assert.That(flush.IsCompleted, Is.True);
        await connection.DisposeAsync().AsTask().Within();
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_connection_that_fails_leaves_the_others_alone(bool isOutput)
    {
        const int Connections = 10;
        List<(ConnectionContext Connection, RawClient Client)> all = [];
        for (int i = 0; i < Connections; i++)
        {
            all.Add(await AcceptAsync());
        }

        // The failure and the messages of the others reach the loops together.
        for (int round = 0; round < 20; round++)
        {
            (ConnectionContext failing, RawClient client) = await AcceptAsync();
            await client.SendAsync("x");
            var error = new InvalidOperationException("Broken.");
            await (isOutput
                ? failing.Transport.Output.CompleteAsync(error)
                : failing.Transport.Input.CompleteAsync(error));
            foreach ((ConnectionContext other, _) in all)
            {
                await other.Transport.Output.WriteAsync("pong\n"u8.ToArray());
            }

            try
            {
                await client.SendAsync("more");
            }
            catch (SocketException)
            {
                // It is cut already.
            }

            foreach ((_, RawClient other) in all)
            {
                Assert.That(await other.ReadUntilAsync("\n"), Is.EqualTo("pong\n"));
            }

            await failing.DisposeAsync().AsTask().Within();
            client.Dispose();
        }

        foreach ((ConnectionContext other, RawClient client) in all)
        {
            await other.DisposeAsync().AsTask().Within();
            client.Dispose();
        }

        Assert.That(_log.AboveDebug, Is.Empty);
    }

    [Test]
    public async Task An_input_that_fails_leaves_the_output_alone()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        await client.SendAsync("x");
        await connection.Transport.Input.ReadAtLeastAsync(1).Within();

        await connection.Transport.Input.CompleteAsync(new InvalidOperationException("Broken."));
        await connection.Transport.Output.WriteAsync("an answer"u8.ToArray());
        await connection.DisposeAsync().AsTask().Within();

        Assert.That(await client.ReadToEndAsync(), Is.EqualTo("an answer"));
        Assert.That(_log.AboveDebug, Is.Empty);
        client.Dispose();
    }

    [Test]
    public async Task Disposing_waits_until_what_was_written_is_sent()
    {
        const int Bytes = 32 * 1024 * 1024;
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        connection.Transport.Output.Write(new byte[Bytes]);

        Task disposing = connection.DisposeAsync().AsTask();

        byte[] buffer = new byte[65536];
        long received = 0;
        while (received < Bytes / 8)
        {
            received += await client.Socket.ReceiveAsync(buffer).Within();
        }

        Assert.That(disposing.IsCompleted, Is.False, "The rest is more than the system takes.");
        while (received < Bytes)
        {
            received += await client.Socket.ReceiveAsync(buffer).Within();
        }

        await disposing.Within();
        client.Dispose();
    }

    [Test]
    public async Task The_socket_of_a_connection_that_has_ended_says_so()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        IConnectionSocketFeature feature = connection.Features.GetRequiredFeature<IConnectionSocketFeature>();

        connection.Abort();
        await connection.DisposeAsync().AsTask().Within();

        Assert.That(() => feature.Socket.RemoteEndPoint, Throws.InstanceOf<ObjectDisposedException>());
        Socket socket = feature.Socket;
        Assert.That(feature.Socket, Is.SameAs(socket));
        client.Dispose();
    }

    [Test]
    public async Task A_full_output_goes_on_without_a_synchronization_context()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        var writing = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                await connection.Transport.Output.WriteAsync(new byte[65536]);
                if (SynchronizationContext.Current is not null)
                {
                    return false;
                }
            }

            await connection.DisposeAsync();
            return true;
        });

        await client.ReadToEndAsync();

        Assert.That(await writing.Within(), Is.True);
        client.Dispose();
    }

    [TestCase("end")]
    [TestCase("reset")]
    [TestCase("abort")]
    public async Task A_read_ends_without_a_synchronization_context(string end)
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        Task<bool> reading = IsFreeAfterReadAsync(connection.Transport.Input);

        switch (end)
        {
            case "end":
                client.Socket.Shutdown(SocketShutdown.Send);
                break;
            case "reset":
                client.Reset();
                break;
            default:
                connection.Abort();
                break;
        }

        Assert.That(await reading.Within(), Is.True);
        await connection.DisposeAsync().AsTask().Within();
        client.Dispose();

        static async Task<bool> IsFreeAfterReadAsync(PipeReader input)
        {
            try
            {
                await input.ReadAsync();
            }
            catch (ConnectionAbortedException)
            {
                // Looked at below.
            }
            catch (ConnectionResetException)
            {
                // Looked at below.
            }

            return SynchronizationContext.Current is null;
        }
    }

    [Test]
    public async Task A_reset_is_noticed_by_a_write_while_reading_is_paused()
    {
        (ConnectionContext connection, RawClient client) = await AcceptAsync();
        var sending = Task.Run(() => client.SendAsync(new byte[32 * 1024 * 1024]));
        await Waiting.UntilAsync(
            () => _log.OfTransport.Any(static entry => entry.Id.Id == 4), "The connection is not paused.");

        client.Reset();
        await Task.WhenAny(sending).Within();
        _ = sending.Exception;

        // Without a write the loop asks every ten seconds.
        var limit = Task.Delay(TimeSpan.FromSeconds(6));
        while (!connection.ConnectionClosed.IsCancellationRequested)
        {
            Assert.That(limit.IsCompleted, Is.False, "The reset is not noticed.");
            await connection.Transport.Output.WriteAsync(new byte[1000]);
            await Task.Delay(5);
        }

        await connection.DisposeAsync().AsTask().Within();
    }

    [Test]
    public async Task AcceptAsync_returns_null_after_unbinding()
    {
        Task<ConnectionContext?> accepting = _listener.AcceptAsync().AsTask();

        await _listener.UnbindAsync().AsTask().Within();

        Assert.That(await accepting.Within(), Is.Null);
        Assert.That(await _listener.AcceptAsync().Within(), Is.Null);
        Assert.That(
            async () => await RawClient.ConnectAsync(_listener.EndPoint),
            Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task Many_connections_come_and_go()
    {
        const int Clients = 200;
        var serving = Task.Run(async () =>
        {
            for (int i = 0; i < Clients; i++)
            {
                ConnectionContext connection = (await _listener.AcceptAsync())!;
                _ = Task.Run(async () =>
                {
                    ReadResult read = await connection.Transport.Input.ReadAtLeastAsync(3);
                    await connection.Transport.Output.WriteAsync(read.Buffer.ToArray());
                    await connection.DisposeAsync();
                });
            }
        });

        string[] answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async i =>
        {
            using RawClient client = await RawClient.ConnectAsync(_listener.EndPoint);
            await client.SendAsync($"{i:000}");
            return await client.ReadToEndAsync();
        })).Within();

        Assert.That(answers, Is.EqualTo(Enumerable.Range(0, Clients).Select(static i => $"{i:000}")));
        await serving.Within();
    }

    private async Task<(ConnectionContext Connection, RawClient Client)> AcceptAsync()
    {
        Task<ConnectionContext?> accepting = _listener.AcceptAsync().AsTask();
        RawClient client = await RawClient.ConnectAsync(_listener.EndPoint);
        return ((await accepting.Within())!, client);
    }

    private sealed class Replaced : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(Stream.Null);

        public PipeWriter Output { get; } = PipeWriter.Create(Stream.Null);
    }
}
