using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static SelectReactor.Hosting.Tests.TestHost;

namespace SelectReactor.Hosting.Tests;

/// <summary>The stop beside other services of the host, which take their time.</summary>
public sealed class StopTests
{
    private SlowService _slow = null!;

    [SetUp]
    public void MakeSlowService() => _slow = new SlowService();

    [TearDown]
    public void EndSlowService() => _slow.MayEnd.TrySetResult();

    // Services stop in the opposite order, so that this one stops before the reactors, as Kestrel does.
    [Test]
    public async Task TheDrain_BeginsBeforeOtherServicesStop()
    {
        using IHost host = BuildWithSlowService(arePolite: true, Bound);
        await host.StartAsync();
        GroupListener listener = host.Services.GetRequiredService<HostedReactor>().GetListener("stop");
        using var client = new Client(listener.LocalEndPoint);
        Assert.That(client.Receive(), Is.EqualTo("hello"));

        Task stop = host.StopAsync();
        Assert.That(client.Receive(), Is.EqualTo("bye"));
        Assert.That(client.Receive(), Is.Empty);
        client.Dispose();
        await listener.Drained.WaitAsync(Bound);

        Assert.That(stop.IsCompleted, Is.False, "the other service still stops");
        _slow.MayEnd.SetResult();
        await stop.WaitAsync(Bound);
    }

    [Test]
    public async Task TheTimeOfTheDrain_CountsFromThere([Values] bool isOfHost)
    {
        using IHost host = BuildWithSlowService(
            arePolite: false, isOfHost ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(50));
        await host.StartAsync();
        using var client = new Client(Listening(host, "stop"));
        Assert.That(client.Receive(), Is.EqualTo("hello"));
        using var timeOut = new CancellationTokenSource();

        Task stop = host.StopAsync(timeOut.Token);
        await _slow.IsStopping.Task.WaitAsync(Bound);
        if (isOfHost)
        {
            await timeOut.CancelAsync();
        }

        Assert.That(client.Receive(), Is.Empty);
        Assert.That(stop.IsCompleted, Is.False, "the other service still stops");
        _slow.MayEnd.SetResult();
        await ((Task)stop.WaitAsync(Bound)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Assert.That(stop.IsCompleted);
    }

    // It stops before the reactors, since it was added later.
    [Test]
    public async Task AServiceThatWasAddedLater_UsesClientsAndPools_WhileItStops()
    {
        using var peer = new TcpListener(IPAddress.Loopback, 0);
        peer.Start();
        List<string> done = [];
        using IHost host = Build(services =>
        {
            services.AddSingleton(new StoppingHandler.Manners(ArePolite: true));
            services.AddSelectReactor(static options => options.DrainTimeout = TimeSpan.FromMilliseconds(50))
                .AddServer<StoppingHandler>("stop", AnyPort)
                .AddConnectionPool("store", options => options.ConnectTo = peer.LocalEndpoint)
                .AddClient<StoppingHandler>("peer", options => options.ConnectTo = peer.LocalEndpoint)
                .AddReconnectingClient<StoppingHandler>("feed", options => options.ConnectTo = peer.LocalEndpoint);
            services.AddHostedService(provider => new LastWords(provider, done));
        });
        await host.StartAsync();
        var feed = host.Services.GetRequiredKeyedService<ReconnectingClient>("feed");
        await feed.WaitForConnectionAsync().WaitAsync(Bound);
        GroupListener listener = host.Services.GetRequiredService<HostedReactor>().GetListener("stop");

        await host.StopAsync().WaitAsync(Bound);

        Assert.That(done, Is.EqualTo(new[] { "servers have ended", "rented", "connected", "Connected" }));
        Assert.That((await feed.Completion.WaitAsync(Bound)).Kind, Is.EqualTo(ReconnectEndKind.ReactorStopped));
        Assert.That(listener.Drained.IsCompleted);
    }

    // In a proxy the connections of the server use those of the pool.
    [Test]
    public async Task ConnectionsOfServers_UsePools_WhileTheyEnd()
    {
        using var peer = new TcpListener(IPAddress.Loopback, 0);
        peer.Start();
        using IHost host = Build(services => services
            .AddSelectReactor(static options => options.DrainTimeout = Bound)
            .AddServer<RentingHandler>("rent", AnyPort)
            .AddConnectionPool("store", options =>
            {
                options.ConnectTo = peer.LocalEndpoint;
                options.Pool.Connect.Connection.LingerTimeout = TimeSpan.Zero;
            }));
        await host.StartAsync();
        using var client = new Client(Listening(host, "rent"));
        Assert.That(client.Ask("x"), Is.EqualTo("hello"));

        Task stop = host.StopAsync();

        Assert.That(client.Receive(), Is.EqualTo("rented"));
        Assert.That(client.Receive(), Is.Empty);
        client.Dispose();
        await stop.WaitAsync(Bound);
    }

    [Test]
    public async Task AVeryLongTimeOut_IsNoFault()
    {
        using IHost host = BuildWithSlowService(arePolite: true, TimeSpan.FromDays(1000));
        await host.StartAsync();
        using var client = new Client(Listening(host, "stop"));
        Assert.That(client.Receive(), Is.EqualTo("hello"));

        Task stop = host.StopAsync();
        _slow.MayEnd.SetResult();
        Assert.That(client.Receive(), Is.EqualTo("bye"));
        Assert.That(client.Receive(), Is.Empty);
        client.Dispose();
        await stop.WaitAsync(Bound);
    }

    private IHost BuildWithSlowService(bool arePolite, TimeSpan drainTimeout) => Build(services =>
    {
        services.AddSingleton(new StoppingHandler.Manners(arePolite));
        services.AddSelectReactor(options => options.DrainTimeout = drainTimeout)
            .AddServer<StoppingHandler>("stop", AnyPort);
        services.AddHostedService(_ => _slow);
    });

    /// <summary>Stops when the test lets it.</summary>
    private sealed class SlowService : IHostedService
    {
        public TaskCompletionSource IsStopping { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayEnd { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            IsStopping.TrySetResult();
            return MayEnd.Task;
        }
    }

    /// <summary>Uses all that it has while it stops.</summary>
    private sealed class LastWords(IServiceProvider services, List<string> done) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            await services.GetRequiredService<HostedReactor>().GetListener("stop").Drained.WaitAsync(Bound);
            done.Add("servers have ended");

            // Longer than the time-out for connections.
            await Task.Delay(200, cancellationToken);
            var pool = services.GetRequiredKeyedService<ConnectionPool>("store");
            (await pool.RentAsync(cancellationToken).WaitAsync(Bound, cancellationToken)).Return();
            done.Add("rented");
            await services.GetRequiredKeyedService<HostedClient>("peer").ConnectAsync(cancellationToken);
            done.Add("connected");
            done.Add($"{services.GetRequiredKeyedService<ReconnectingClient>("feed").State}");
        }
    }

    /// <summary>Rents a connection when the host stops.</summary>
    private sealed class RentingHandler([FromKeyedServices("store")] ConnectionPool pool) : ConnectionHandler
    {
        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out var result))
            {
                connection.Input.AdvanceTo(result.Buffer.End);
                connection.TryWrite("hello"u8);
            }
        }

        public override async void OnStopping(Connection connection)
        {
            try
            {
                (await pool.RentAsync()).Return();
                connection.TryWrite("rented"u8);
            }
            catch (Exception exception) when (exception is InvalidOperationException or OperationCanceledException)
            {
                connection.TryWrite("refused"u8);
            }

            connection.Close();
        }
    }
}
