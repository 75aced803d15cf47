using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>What belongs to this transport alone: its reactors, its clients, its end.</summary>
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
internal sealed class ReactorTests(TransportKind transport)
{
    private WebServerSettings Settings { get; } = new(transport);

    [Test]
    public async Task Handlers_run_where_the_options_say()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Serve = static context => context.Response.WriteAsync($"{Thread.CurrentThread.IsThreadPoolThread}"),
        });
        using HttpClient client = server.CreateClient();

        // Kestrel starts each connection on the thread pool, where it may find a request, too.
        List<string> answers = [];
        do
        {
            answers.Add(await client.GetStringAsync("/").Within());
        }
        while (answers.Count < 20 && !answers.Contains("False"));

        Assert.That(answers, transport == TransportKind.Pool ? Is.All.EqualTo("True") : Has.Member("False"));
    }

    [Test]
    public async Task A_group_without_threads_is_refused()
    {
        await using var server = WebServer.Create(Settings with
        {
            SelectReactor = static options => options.Group.StartThreads = false,
        });

        Assert.That(
            async () => await server.Application.StartAsync().Within(),
            Throws.ArgumentException.With.Message.StartsWith(
                "SelectReactorTransportOptions.Group.StartThreads must not be false"));
    }

    [Test]
    public async Task Two_applications_may_share_the_options_of_a_group()
    {
        ReactorGroupOptions shared = new ReactorGroupOptions().UseEpoll();
        var unchanged = new ReactorGroupOptions();
        WebServerSettings settings = Settings with { SelectReactor = options => options.Group = shared };
        WebServer first = await WebServer.StartAsync(settings);
        await using WebServer second = await WebServer.StartAsync(settings);

        Assert.That(shared.Reactor.Logger, Is.SameAs(unchanged.Reactor.Logger));
        Assert.That(shared.Reactor.MeterFactory, Is.Null);
        await first.DisposeAsync();
        using HttpClient client = second.CreateClient();
        Assert.That(await client.GetStringAsync("/").Within(), Is.EqualTo("Hello"));
    }

    [Test]
    public async Task A_loop_that_a_fault_ends_fails_the_run()
    {
        var server = WebServer.Create(Settings with
        {
            SelectReactor = static options => options.Group.Reactor.PropagateExceptions = true,
        });
        server.Application.Lifetime.ApplicationStarted.Register(
            () => server.Services.GetRequiredService<TransportReactors>().Group.Reactors[1].Post(
                static () => throw new ArithmeticException("It is dead.")));

        Task run = server.Application.RunAsync();

        Assert.That(
            async () => await run.Within(),
            Throws.InvalidOperationException
                .With.Message.EqualTo("A fault has ended a loop of the transport: It is dead.")
                .And.InnerException.TypeOf<ArithmeticException>());
        await server.DisposeAsync();
    }

    [Test]
    public async Task A_loop_that_dies_ends_accepting_and_stops_the_application()
    {
        await using WebServer server = await WebServer.StartAsync(Settings);
        var stopping = new TaskCompletionSource();
        server.Application.Lifetime.ApplicationStopping.Register(stopping.SetResult);
        var factory = (TransportFactory)server.Services.GetServices<IConnectionListenerFactory>().Last();
        await using IConnectionListener listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        Task<ConnectionContext?> accepting = listener.AcceptAsync().AsTask();

        server.Services.GetRequiredService<TransportReactors>().Group.Reactors[0].Dispose();

        Assert.That(
            async () => await accepting.Within(),
            Throws.InstanceOf<InvalidOperationException>().With.Message.Contains("loop"));
        await stopping.Task.Within();
        Assert.That(
            server.Log.OfTransport.Count(static entry => entry.Level == LogLevel.Critical), Is.EqualTo(1));
    }

    [Test]
    public async Task Connections_that_were_accepted_before_unbinding_are_handed_out()
    {
        await using var server = WebServer.Create(Settings);
        var factory = (TransportFactory)server.Services.GetServices<IConnectionListenerFactory>().Last();
        await using IConnectionListener listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        using RawClient client = await RawClient.ConnectAsync(listener.EndPoint);
        await UntilAcceptedAsync(server, 1);

        await listener.UnbindAsync().AsTask().Within();

        ConnectionContext? accepted = await listener.AcceptAsync().Within();
        Assert.That(accepted, Is.Not.Null);
        Assert.That(await listener.AcceptAsync().Within(), Is.Null);
        await accepted!.DisposeAsync();
        Assert.That(await client.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task Accepting_pauses_while_many_connections_wait_for_the_server()
    {
        const int Limit = 8;
        const int Clients = Limit + 4;
        await using var server = WebServer.Create(
            Settings with { SelectReactor = static options => options.Backlog = Limit });
        ReactorGroup group = server.Services.GetRequiredService<TransportReactors>().Group;
        var factory = (TransportFactory)server.Services.GetServices<IConnectionListenerFactory>().Last();
        await using IConnectionListener listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        List<RawClient> clients = [];
        while (clients.Count < Limit)
        {
            clients.Add(await RawClient.ConnectAsync(listener.EndPoint));
            await UntilAcceptedAsync(server, clients.Count);
        }

        await TicksAsync();
        while (clients.Count < Clients)
        {
            clients.Add(await RawClient.ConnectAsync(listener.EndPoint));
            await TicksAsync();
        }

        Assert.That(group.Statistics.Accepted, Is.EqualTo(Limit), "the others wait in the backlog");
        for (int i = 0; i < Clients; i++)
        {
            ConnectionContext? connection = await listener.AcceptAsync().Within();
            await connection!.DisposeAsync().AsTask().Within();
        }

        Assert.That(group.Statistics.Accepted, Is.EqualTo(Clients));
        clients.ForEach(static client => client.Dispose());

        async Task TicksAsync()
        {
            for (int i = 0; i < 20; i++)
            {
                await Task.WhenAll(group.Reactors.Select(static reactor => reactor.InvokeAsync(static () => { })));
            }
        }
    }

    [Test]
    public async Task Connections_that_nobody_took_are_cut_with_the_listener()
    {
        await using var server = WebServer.Create(Settings);
        var factory = (TransportFactory)server.Services.GetServices<IConnectionListenerFactory>().Last();
        IConnectionListener listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        using RawClient client = await RawClient.ConnectAsync(listener.EndPoint);
        await UntilAcceptedAsync(server, 1);

        await listener.DisposeAsync().AsTask().Within();

        Assert.That(await client.ReadToErrorAsync(), Is.EqualTo(System.Net.Sockets.SocketError.ConnectionReset));
    }

    [Test]
    public async Task A_handler_that_blocks_does_not_keep_the_host_from_its_end()
    {
        using var started = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        WebServer server = await WebServer.StartAsync(Settings with
        {
            ShutdownTimeout = TimeSpan.FromMilliseconds(200),
            Serve = context =>
            {
                // Kestrel starts a connection on the thread pool, and may find the next request there, too.
                if (transport == TransportKind.Pool || !Thread.CurrentThread.IsThreadPoolThread)
                {
                    started.Set();
                    release.Wait();
                }

                return Task.CompletedTask;
            },
        });
        using RawClient client = await server.ConnectAsync();
        while (!started.IsSet)
        {
            await client.SendAsync(RawClient.Get);
            await Waiting.UntilAsync(() => started.IsSet || client.Socket.Available > 0, "There is no answer.");
            if (client.Socket.Available > 0)
            {
                await client.ReadUntilAsync("\r\n\r\n");
            }
        }

        try
        {
            Task stopping = server.Application.StopAsync();
            await Task.WhenAny(stopping).Within();
            await Task.Run(async () => await server.DisposeAsync()).Within();
            Assert.That(
                stopping.Exception?.Flatten().InnerExceptions.OfType<TimeoutException>().Any() is true,
                Is.EqualTo(transport == TransportKind.Inline));
            bool isTold = server.Log.Entries.Any(static entry => entry.Id.Name == "LoopBlocked");
            Assert.That(isTold, Is.EqualTo(transport == TransportKind.Inline));
        }
        finally
        {
            release.Set();
        }
    }

    [Test]
    public async Task All_listeners_share_one_group_of_reactors()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Kestrel = static options => options.Listen(IPAddress.Loopback, 0),
        });
        ReactorGroup group = server.Services.GetRequiredService<TransportReactors>().Group;
        Assert.That(group.Reactors, Has.Count.EqualTo(2));
        using var client = new HttpClient();

        foreach (string address in server.Application.Urls)
        {
            await client.GetStringAsync(address).Within();
        }

        Assert.That(group.Statistics.Accepted, Is.EqualTo(2));
    }

    [Test]
    public async Task A_raw_connection_handler_is_served()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.UseConnectionHandler<LineEcho>(),
            Services = static services => services.AddSingleton<LineEcho>(),
        });
        using RawClient client = await server.ConnectAsync();

        for (int i = 0; i < 10; i++)
        {
            await client.SendAsync($"line {i}\n");
            Assert.That(await client.ReadUntilAsync("\n"), Is.EqualTo($"line {i}\n"));
        }

        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.That(await client.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task The_connection_factory_makes_clients()
    {
        await using WebServer server = await WebServer.StartAsync(Settings);
        IConnectionFactory factory = server.Services.GetRequiredService<IConnectionFactory>();
        await using ConnectionContext connection = await factory.ConnectAsync(server.EndPoint).Within();

        await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(RawClient.LastGet));

        var text = new StringBuilder();
        ReadResult read;
        do
        {
            read = await connection.Transport.Input.ReadAsync().Within();
            text.Append(Encoding.ASCII.GetString(read.Buffer));
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);

        Assert.That(text.ToString(), Does.Contain("Hello"));
    }

    [Test]
    public async Task The_connection_factory_tells_that_nobody_listens()
    {
        await using WebServer server = await WebServer.StartAsync(Settings);
        IConnectionFactory factory = server.Services.GetRequiredService<IConnectionFactory>();
        IPEndPoint nobody = server.EndPoint;
        await server.Application.StopAsync();

        Assert.That(
            async () => await factory.ConnectAsync(nobody).Within(),
            Throws.InstanceOf<System.Net.Sockets.SocketException>());
    }

    [Test]
    public async Task The_client_hears_the_end_of_a_lingering_connection()
    {
        // The client sends more than the server reads: a plain close would reset the connection and lose the answer.
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.Run(static async connection =>
            {
                await connection.Transport.Input.ReadAsync();
                await connection.Transport.Output.WriteAsync("the answer"u8.ToArray());
            }),
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(new byte[1]);
        await Waiting.UntilAsync(
            () => server.Log.OfTransport.Any(static entry => entry.Id.Id == 7), "The server does not close.");

        await client.SendAsync(new byte[1000]);
        await client.SendAsync(new byte[1000]);

        Assert.That(await client.ReadToEndAsync(), Is.EqualTo("the answer"));
    }

    [Test]
    public async Task A_client_that_sends_much_after_the_last_answer_reads_that_answer()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.Run(static async connection =>
            {
                await connection.Transport.Input.ReadAsync();
                await connection.Transport.Output.WriteAsync("the answer"u8.ToArray());
            }),
        });
        using RawClient client = await server.ConnectAsync();

        await client.SendAsync(new byte[20 * 1024 * 1024]);

        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo("the answer"));
        Assert.That(server.Log.AboveDebug, Is.Empty);
    }

    [Test]
    public async Task A_connection_that_is_cut_after_the_clients_end_counts_as_ended_by_the_client()
    {
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            Listen = static listen => listen.Run(static async connection =>
            {
                await connection.Transport.Input.ReadAsync();
                connection.Abort(new ConnectionAbortedException("The client has gone."));
            }),
        });
        using RawClient client = await server.ConnectAsync();

        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);

        await client.ReadToErrorAsync();
        await Waiting.UntilAsync(() => ClosedOf(server) is not null, "The connection does not end.");
        Assert.That(ClosedOf(server)!.Text, Does.Contain(nameof(CloseKind.PeerClosed)));
    }

    [Test]
    public async Task The_reactors_can_be_dumped()
    {
        await using WebServer server = await WebServer.StartAsync(Settings);
        using RawClient client = await server.ConnectAsync();
        await UntilAcceptedAsync(server, 1);

        ReactorGroup group = server.Services.GetRequiredService<SelectReactorTransport>().Reactors;

        Assert.That(group.Dump(), Does.Contain($"{client.Socket.LocalEndPoint}"));
    }

    [Test]
    public async Task The_warning_of_a_slow_handler_names_the_connection()
    {
        if (transport == TransportKind.Pool)
        {
            return; // Only inline does the application run on the loop.
        }

        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            SelectReactor = static options =>
                options.Group.Reactor.SlowCallbackThreshold = TimeSpan.FromMilliseconds(20),
            Listen = static listen => listen.Run(static async connection =>
            {
                PipeReader input = connection.Transport.Input;
                var slow = TimeSpan.FromMilliseconds(200);
                while (await input.ReadAsync() is { IsCompleted: false } read)
                {
                    input.AdvanceTo(read.Buffer.End);
                    long end = Environment.TickCount64 + (long)slow.TotalMilliseconds;
                    while (Environment.TickCount64 < end)
                    {
                        Thread.SpinWait(1000);
                    }

                    await connection.Transport.Output.WriteAsync(new byte[1]);
                }
            }),
        });
        using RawClient client = await server.ConnectAsync();

        // A byte that is there already when the handler reads is served where that one runs: on the thread pool.
        byte[] buffer = new byte[1];
        for (int i = 0; i < 50 && SlowOf(server) is null; i++)
        {
            await Task.Delay(20);
            await client.SendAsync(buffer);
            await client.Socket.ReceiveAsync(buffer).Within();
        }

        Assert.That(SlowOf(server)?.Text, Does.Contain($"{client.Socket.LocalEndPoint}"));
    }

    private static EventLog.Entry? ClosedOf(WebServer server) =>
        server.Log.Entries.FirstOrDefault(static entry => entry is { Category: "SelectReactor", Id.Name: "Closed" });

    private static EventLog.Entry? SlowOf(WebServer server) =>
        server.Log.Entries.FirstOrDefault(static entry =>
            entry.Id.Name == "CallbackIsSlow" && entry.Text.Contains("TransportHandler", StringComparison.Ordinal));

    private static Task UntilAcceptedAsync(WebServer server, int count)
    {
        ReactorGroup group = server.Services.GetRequiredService<TransportReactors>().Group;
        return Waiting.UntilAsync(() => group.Statistics.Accepted == count, "The client is not accepted.");
    }

    private sealed class LineEcho : Microsoft.AspNetCore.Connections.ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            while (true)
            {
                ReadResult read = await connection.Transport.Input.ReadAsync();
                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                {
                    await connection.Transport.Output.WriteAsync(piece);
                }

                connection.Transport.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        }
    }
}
