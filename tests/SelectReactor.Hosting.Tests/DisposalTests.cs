using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static SelectReactor.Hosting.Tests.TestHost;

namespace SelectReactor.Hosting.Tests;

/// <summary>Hosts that are disposed of without a stop, with clients and pools.</summary>
public sealed class DisposalTests
{
    /// <summary>For this long, clients would wait for a peer that does not close its side.</summary>
    private static readonly TimeSpan _longTime = TimeSpan.FromHours(1);

    private TcpListener _peer = null!;

    [SetUp]
    public void ListenAsPeer()
    {
        _peer = new TcpListener(IPAddress.Loopback, 0);
        _peer.Start();
    }

    [TearDown]
    public void DisposePeer() => _peer.Dispose();

    [Test]
    public void AServiceThatDoesNotStart_EndsTheRun_AtOnce()
    {
        IHost host = Build(services => AddClients(services).AddHostedService<FailingService>());

        Assert.That(async () => await host.RunAsync().WaitAsync(Bound), Throws.TypeOf<ArithmeticException>());
    }

    [Test]
    public async Task ABlockedLoop_DoesNotKeepClientsFromBeingDisposedOf([Values] bool isAsked)
    {
        using var gate = new BlockingHandler.Gate();
        IHost host = Build(services => AddClients(services));
        await host.StartAsync();
        if (isAsked)
        {
            _ = host.Services.GetRequiredKeyedService<ReconnectingClient>("feed");
            _ = host.Services.GetRequiredKeyedService<ConnectionPool>("store");
        }

        host.Services.GetRequiredService<HostedReactor>().Group.Reactors[0].Post(gate.Pass);
        gate.WaitUntilReached();

        await Task.Run(host.Dispose).WaitAsync(Bound);
    }

    private IServiceCollection AddClients(IServiceCollection services) => services
        .AddSingleton(new Greeting("hello"))
        .AddSelectReactor()
        .AddConnectionPool("store", options =>
        {
            options.ConnectTo = _peer.LocalEndpoint;
            options.Pool.Connect.Connection.LingerTimeout = _longTime;
        })
        .AddReconnectingClient<GreetingHandler>("feed", options =>
        {
            options.ConnectTo = _peer.LocalEndpoint;
            options.Reconnect.Connect.Connection.LingerTimeout = _longTime;
        })
        .Services;

    private sealed class FailingService(
        [FromKeyedServices("feed")] ReconnectingClient feed,
        [FromKeyedServices("store")] ConnectionPool store) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await feed.WaitForConnectionAsync(cancellationToken).WaitAsync(Bound, cancellationToken);
            Task<ConnectionLease> rent = store.RentAsync(cancellationToken);
            (await rent.WaitAsync(Bound, cancellationToken)).Return();
            throw new ArithmeticException("This service does not start.");
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
