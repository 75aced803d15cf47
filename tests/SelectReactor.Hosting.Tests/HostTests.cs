using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using static SelectReactor.Hosting.Tests.TestHost;

namespace SelectReactor.Hosting.Tests;

/// <summary>Servers and clients in a real host.</summary>
public sealed class HostTests
{
    private const string LongPath = "unix:/run/a-name-that-is-too-long-a-name-that-is-too-long/"
        + "a-name-that-is-too-long-a-name-that-is-too-long-a-name-that-is-too-long.sock";

    private static readonly TimeSpan _bound = TestHost.Bound;

    [Test]
    public async Task Handlers_HaveTheirDependencies_AndOneForEachConnection()
    {
        using IHost host = Build(static services => services
            .AddSingleton(new Greeting("hello"))
            .AddSelectReactor().AddServer<GreetingHandler>("greet", AnyPort));
        await host.StartAsync();
        using var first = new Client(Listening(host, "greet"));
        using var second = new Client(Listening(host, "greet"));

        string one = first.Ask("a");
        string two = second.Ask("b");

        Assert.That(one, Does.StartWith("hello ").And.EndsWith(" a"));
        Assert.That(two.Split(' ')[1], Is.Not.EqualTo(one.Split(' ')[1]), "the handler");
        await host.StopAsync();
        Assert.That(first.Receive(), Is.Empty, "closed with the host");
    }

    [Test]
    public async Task AHandlerThatIsASingleton_ServesAll([Values] bool isRegisteredBefore)
    {
        using IHost host = Build(services =>
        {
            services.AddSingleton(new Greeting("hi"));
            if (isRegisteredBefore)
            {
                services.AddSingleton<GreetingHandler>();
            }

            services.AddSelectReactor().AddServer<GreetingHandler>("greet", AnyPort);
            if (!isRegisteredBefore)
            {
                services.AddSingleton<GreetingHandler>();
            }
        });
        await host.StartAsync();
        using var first = new Client(Listening(host, "greet"));
        using var second = new Client(Listening(host, "greet"));

        Assert.That(second.Ask("x"), Is.EqualTo(first.Ask("x")));
        await host.StopAsync();
    }

    [Test]
    public async Task EachConnection_HasAScope_ThatEndsWithIt()
    {
        Session.All.Clear();
        using IHost host = Build(static services => services
            .AddScoped<Session>()
            .AddSelectReactor().AddServer<SessionHandler>("session", AnyPort));
        await host.StartAsync();
        using var first = new Client(Listening(host, "session"));
        using var second = new Client(Listening(host, "session"));
        string one = first.Ask("x");
        string two = second.Ask("x");
        Assert.That(two, Is.Not.EqualTo(one));

        first.Dispose();
        await Session.All.Single(session => $"{session.Number}" == one).Disposed.Task.WaitAsync(_bound);

        Session other = Session.All.Single(session => $"{session.Number}" == two);
        Assert.That(other.Disposed.Task.IsCompleted, Is.False);
        await host.StopAsync();
        await other.Disposed.Task.WaitAsync(_bound);
    }

    [Test]
    public void ABusyPort_FailsTheStart_AndNamesTheServer()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(AnyPort);
        other.Listen();
        using IHost host = Build(services => services
            .AddSingleton(new Greeting("hello"))
            .AddSelectReactor()
            .AddServer<GreetingHandler>("free", AnyPort)
            .AddServer<GreetingHandler>("busy", other.LocalEndPoint!));

        Assert.That(
            async () => await host.StartAsync(),
            Throws.InvalidOperationException
                .With.Message.StartsWith($"The server \"busy\" did not start. Can't listen on {other.LocalEndPoint}")
                .And.InnerException.TypeOf<SocketException>());
    }

    [Test]
    public async Task Configuration_SetsServersClientsAndReactors()
    {
        using IHost host = Build(
            static (services, configuration) => services
                .AddSingleton(new Greeting("hello"))
                .AddSelectReactor(configuration.GetSection("SelectReactor"))
                .AddServer<GreetingHandler>("greet", static options => options.Listener.MaxAcceptsPerTick = 7)
                .AddClient<GreetingHandler>("peer"),
            new()
            {
                ["SelectReactor:ReactorCount"] = "2",
                ["SelectReactor:DrainTimeout"] = "00:00:07",
                ["SelectReactor:Group:Sharing"] = "RoundRobin",
                ["SelectReactor:Group:MaxConnections"] = "100",
                ["SelectReactor:Group:Reactor:MaxPostsPerTick"] = "50",
                ["SelectReactor:Servers:greet:EndPoint"] = "127.0.0.1:0",
                ["SelectReactor:Servers:greet:Listener:MaxConnections"] = "1",
                ["SelectReactor:Servers:greet:Listener:WhenFull"] = "Refuse",
                ["SelectReactor:Servers:greet:Listener:Connection:IdleTimeout"] = "00:01:00",
                ["SelectReactor:Clients:peer:EndPoint"] = "example.com:7007",
                ["SelectReactor:Clients:peer:Connect:Timeout"] = "00:00:03",
            });
        await host.StartAsync();

        var reactors = host.Services.GetRequiredService<IOptions<SelectReactorOptions>>().Value;
        ServerOptions server = host.Services.GetRequiredService<IOptionsMonitor<ServerOptions>>().Get("greet");
        ClientOptions client = host.Services.GetRequiredService<IOptionsMonitor<ClientOptions>>().Get("peer");
        Assert.Multiple(() =>
        {
            Assert.That(host.Services.GetRequiredService<ReactorGroup>().Reactors, Has.Count.EqualTo(2));
            Assert.That(reactors.DrainTimeout, Is.EqualTo(TimeSpan.FromSeconds(7)));
            Assert.That(reactors.Group.Sharing, Is.EqualTo(ClientSharing.RoundRobin));
            Assert.That(reactors.Group.MaxConnections, Is.EqualTo(100));
            Assert.That(reactors.Group.Reactor.MaxPostsPerTick, Is.EqualTo(50));
            Assert.That(server.Listener.MaxConnections, Is.EqualTo(1));
            Assert.That(server.Listener.WhenFull, Is.EqualTo(WhenFull.Refuse));
            Assert.That(server.Listener.MaxAcceptsPerTick, Is.EqualTo(7));
            Assert.That(server.Listener.Connection.IdleTimeout, Is.EqualTo(TimeSpan.FromMinutes(1)));
            Assert.That(client.Connect.Timeout, Is.EqualTo(TimeSpan.FromSeconds(3)));
        });
        await host.StopAsync();
    }

    [TestCase("Servers:greet:EndPoint", "7007", "The server \"greet\" can't listen on \"7007\"")]
    [TestCase("Servers:greet:EndPoint", null, "The server \"greet\" has no end point: set ServerOptions.EndPoint")]
    [TestCase("Servers:greet:Listener:Backlog", "0", "ListenerOptions.Backlog must be at least 1, not 0.")]
    [TestCase("Servers:greet:Listener:Backlog", "0", "\"SelectReactor:Servers:greet\"")]
    [TestCase("Servers:greet:Listener:Backlog", "many", "SelectReactor:Servers:greet:Listener:Backlog")]
    [TestCase("ReactorCount", "0", "SelectReactorOptions.ReactorCount must be at least 1, not 0.")]
    [TestCase("DrainTimeout", "-00:00:02", "SelectReactorOptions.DrainTimeout must be zero or more")]
    [TestCase("MaxLoopLag", "0", "SelectReactorOptions.MaxLoopLag must be above zero")]
    [TestCase("MaxLoopLag", "365.00:00:00", "must be above zero and at most 1.00:00:00, not 365")]
    [TestCase("Group:Reactor:MaxConnections", "5", "Options.Group.Reactor.MaxConnections must not be set")]
    [TestCase("Group:StartThreads", "false", "SelectReactorOptions.Group.StartThreads must not be false")]
    [TestCase("Group:DisposeTimeout", "2.00:00:00", "DisposeTimeout must be above zero and at most one day")]
    [TestCase("Servers:greet:EndPoint", LongPath, $"The server \"greet\" can't listen on \"{LongPath}\"")]
    [TestCase("Clients:peer:EndPoint", LongPath, $"The client \"peer\" can't connect to \"{LongPath}\"")]
    [TestCase("Clients:peer:EndPoint", "example.com", "The client \"peer\" can't connect to \"example.com\"")]
    public void ABadValue_FailsTheStart_AndIsNamed(string key, string? value, string message)
    {
        using IHost host = Build(
            static (services, configuration) => services
                .AddSingleton(new Greeting("hello"))
                .AddSelectReactor(configuration.GetSection("SelectReactor"))
                .AddServer<GreetingHandler>("greet").AddClient<GreetingHandler>("peer"),
            new()
            {
                ["SelectReactor:Servers:greet:EndPoint"] = "127.0.0.1:0",
                ["SelectReactor:Clients:peer:EndPoint"] = "127.0.0.1:1",
                [$"SelectReactor:{key}"] = value,
            });

        Assert.That(
            async () => await host.StartAsync(), Throws.Exception.With.Message.Contains(message), $"{key} = {value}");
    }

    [Test]
    public async Task Stop_LetsHandlersFinish()
    {
        using IHost host = Build(static services => services
            .AddSingleton(new StoppingHandler.Manners(ArePolite: true))
            .AddSelectReactor(static options => options.DrainTimeout = _bound)
            .AddServer<StoppingHandler>("stop", AnyPort));
        await host.StartAsync();
        using var client = new Client(Listening(host, "stop"));
        Assert.That(client.Receive(), Is.EqualTo("hello"));

        Task stop = host.StopAsync();
        Assert.That(client.Receive(), Is.EqualTo("bye"));
        Assert.That(client.Receive(), Is.Empty);
        client.Dispose();
        await stop.WaitAsync(_bound);
    }

    [Test]
    public async Task ConnectionsThatGoOn_AreClosedAtTheTimeOut([Values] bool isOfHost)
    {
        using IHost host = Build(services =>
        {
            services.Configure<HostOptions>(options =>
                options.ShutdownTimeout = isOfHost ? TimeSpan.FromMilliseconds(50) : TimeSpan.FromMinutes(10));
            services.AddSingleton(new StoppingHandler.Manners(ArePolite: false));
            services
                .AddSelectReactor(options => options.DrainTimeout = isOfHost
                    ? Timeout.InfiniteTimeSpan
                    : TimeSpan.FromMilliseconds(50))
                .AddServer<StoppingHandler>("stop", AnyPort);
        });
        await host.StartAsync();
        using var client = new Client(Listening(host, "stop"));
        Assert.That(client.Receive(), Is.EqualTo("hello"));

        await host.StopAsync().WaitAsync(_bound);

        Assert.That(client.Receive(), Is.Empty);
        Assert.That(host.Services.GetRequiredService<ReactorGroup>().Statistics.Connections, Is.Zero);
    }

    [Test]
    public async Task Clients_ConnectByTheirName()
    {
        using IHost server = Build(static services => services
            .AddSingleton(new Greeting("hello"))
            .AddSelectReactor().AddServer<GreetingHandler>("greet", AnyPort));
        await server.StartAsync();
        EndPoint endPoint = Listening(server, "greet");
        var received = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using IHost host = Build(services => services
            .AddSingleton(received)
            .AddSelectReactor().AddClient<AskingHandler>("greeter", options => options.ConnectTo = endPoint));
        await host.StartAsync();

        var client = host.Services.GetRequiredKeyedService<HostedClient>("greeter");
        Connection connection = await client.ConnectAsync().WaitAsync(_bound);

        Assert.That(await received.Task.WaitAsync(_bound), Does.EndWith("question"));
        Assert.That(connection.RemoteEndPoint, Is.EqualTo(endPoint));
        Assert.That(host.Services.GetRequiredService<HostedReactor>().GetClient("greeter"), Is.SameAs(client));
        await host.StopAsync();
        await server.StopAsync();
    }

    [Test]
    public async Task NamedReactors_AreServicesWithAKey()
    {
        using IHost host = Build(static services =>
        {
            services.AddSingleton(new Greeting("hello"));
            services.AddSelectReactor("one", static options => options.ReactorCount = 1)
                .AddServer<GreetingHandler>("greet", AnyPort);
            services.AddSelectReactor("two", static options => options.ReactorCount = 2)
                .AddServer<GreetingHandler>("greet", AnyPort);
        });
        await host.StartAsync();
        var one = host.Services.GetRequiredKeyedService<HostedReactor>("one");
        var two = host.Services.GetRequiredKeyedService<HostedReactor>("two");

        Assert.That(one.GetListener("greet").LocalEndPoint, Is.Not.EqualTo(two.GetListener("greet").LocalEndPoint));
        Assert.That(host.Services.GetRequiredKeyedService<ReactorGroup>("two").Reactors, Has.Count.EqualTo(2));
        Assert.That(host.Services.GetService<HostedReactor>(), Is.Null);
        await host.StopAsync();
    }

    [Test]
    public void WhatIsThereAlready_IsRefused()
    {
        var services = new ServiceCollection();
        SelectReactorBuilder builder = services.AddSelectReactor().AddServer<GreetingHandler>("greet");

        Assert.That(() => builder.AddServer<GreetingHandler>("greet"), Throws.ArgumentException);
        Assert.That(() => services.AddSelectReactor(), Throws.InvalidOperationException);
        Assert.That(() => services.AddSelectReactor("other", static _ => { }), Throws.Nothing);
        Assert.That(() => services.AddSelectReactor("other", static _ => { }), Throws.InvalidOperationException);
    }

    [Test]
    public void AClientOfOtherReactors_IsNotHidden()
    {
        var services = new ServiceCollection();
        services.AddSelectReactor("one", static _ => { }).AddClient<GreetingHandler>("market");
        SelectReactorBuilder two = services.AddSelectReactor("two", static _ => { });

        Assert.That(
            () => two.AddClient<GreetingHandler>("market"),
            Throws.ArgumentException.With.Message.StartsWith("There is a client or a pool \"market\" already."));
        Assert.That(() => two.AddClient<GreetingHandler>("other"), Throws.Nothing);
    }

    // The server "x" of the reactors "a" and the server "a:x" would have the same options.
    [TestCase("")]
    [TestCase("a:x")]
    public void ANameThatConfigurationCantHave_IsRefused(string name)
    {
        var services = new ServiceCollection();
        SelectReactorBuilder builder = services.AddSelectReactor();

        Assert.That(() => builder.AddServer<GreetingHandler>(name), Throws.ArgumentException);
        Assert.That(() => builder.AddClient<GreetingHandler>(name), Throws.ArgumentException);
        Assert.That(() => services.AddSelectReactor(name, static _ => { }), Throws.ArgumentException);
    }

    [Test]
    public async Task TheLog_IsThatOfTheHost()
    {
        using var log = new LogKeeper();
        using IHost host = Build(services => services
            .AddSingleton(new Greeting("hello"))
            .AddLogging(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug))
            .AddSelectReactor().AddServer<GreetingHandler>("greet", AnyPort));
        await host.StartAsync();
        await host.StopAsync();

        Assert.That(
            log.Lines, Has.Some.StartsWith("SelectReactor.Hosting: The server \"greet\" listens on 127.0.0.1:"));
        Assert.That(log.Lines, Has.Some.StartsWith("SelectReactor: "));
    }

    [Test]
    public async Task AReactorThatEnds_StopsTheHost()
    {
        using IHost host = Build(static services => services
            .AddSingleton(new Greeting("hello"))
            .AddSelectReactor(static options => options.ReactorCount = 2)
            .AddServer<GreetingHandler>("greet", AnyPort));
        await host.StartAsync();
        Task stopped = host.WaitForShutdownAsync();

        host.Services.GetRequiredService<ReactorGroup>().Reactors[1].Dispose();

        await stopped.WaitAsync(_bound);
    }

    [Test]
    public async Task AWebApplication_ServesBesideIt()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(new Greeting("hello"));
        builder.Services
            .AddSelectReactor(static options => options.DrainTimeout = TimeSpan.Zero)
            .AddServer<GreetingHandler>("greet", AnyPort)
            .AddHealthChecks();
        await using WebApplication application = builder.Build();
        application.MapHealthChecks("/health");
        application.MapGet("/connections", (ReactorGroup group) => group.Statistics.Connections);
        await application.StartAsync();
        using var client = new Client(Listening(application, "greet"));
        Assert.That(client.Ask("x"), Does.StartWith("hello"));
        using var http = new HttpClient { BaseAddress = new Uri(application.Urls.Single()) };

        Assert.That(await http.GetStringAsync("/connections"), Is.EqualTo("1"));
        Assert.That(await http.GetStringAsync("/health"), Is.EqualTo("Healthy"));
        await application.StopAsync();
    }

    /// <summary>Asks once and keeps the answer.</summary>
    public sealed class AskingHandler(TaskCompletionSource<string> received) : ConnectionHandler
    {
        public override void OnConnected(Connection connection) => connection.TryWrite("question"u8);

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out var result))
            {
                received.TrySetResult(System.Text.Encoding.ASCII.GetString(result.Buffer.ToArray()));
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }
}
