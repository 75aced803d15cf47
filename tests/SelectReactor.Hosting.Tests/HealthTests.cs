using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace SelectReactor.Hosting.Tests;

/// <summary>The health checks of a host.</summary>
public sealed class HealthTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);
    private IHost _host = null!;
    private string? _description;

    private HostedReactor Hosted => _host.Services.GetRequiredService<HostedReactor>();

    [SetUp]
    public void Build()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(new Greeting("hello"));
        builder.Services
            .AddSelectReactor(static options =>
            {
                options.ReactorCount = 2;
                options.MaxLoopLag = TimeSpan.FromSeconds(5);
                options.DrainTimeout = TimeSpan.Zero;
                options.Group.MaxConnections = 1;
            })
            .AddServer<GreetingHandler>("greet", new IPEndPoint(IPAddress.Loopback, 0))
            .AddHealthChecks();
        _host = builder.Build();
    }

    [TearDown]
    public void DisposeHost() => _host.Dispose();

    [Test]
    public void EachCheck_HasItsTag()
    {
        ICollection<HealthCheckRegistration> checks =
            _host.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;

        Assert.That(
            checks.Select(static check => (check.Name, string.Join(' ', check.Tags))),
            Is.EqualTo(new[] { ("selectreactor-live", "live"), ("selectreactor-ready", "ready") }));
    }

    [Test]
    public async Task BeforeTheStart_ItIsAliveAndNotReady()
    {
        Assert.That(await CheckAsync("live"), Is.EqualTo(HealthStatus.Healthy));
        Assert.That(await CheckAsync("ready"), Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(_description, Is.EqualTo("The host has not started the servers yet."));
    }

    [Test]
    public async Task APausedListener_IsNotReady()
    {
        await _host.StartAsync();
        Assert.That(await CheckAsync("ready"), Is.EqualTo(HealthStatus.Healthy));

        Hosted.GetListener("greet").Pause();
        await PassAsync();
        Assert.That(await CheckAsync("ready"), Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(_description, Is.EqualTo("The server \"greet\" does not accept clients: it is paused."));
        Hosted.GetListener("greet").Resume();
        await PassAsync();
        Assert.That(await CheckAsync("ready"), Is.EqualTo(HealthStatus.Healthy));
        await _host.StopAsync();
    }

    [TestCase(int.MaxValue, "the reactors are at their limit of 1 connections")]
    [TestCase(1, "it is at its limit of 1 connections")]
    public async Task AtTheLimit_ItIsNotReady(int limit, string expected)
    {
        _host.Services.GetRequiredService<IOptionsMonitor<ServerOptions>>().Get("greet")
            .Listener.MaxConnections = limit;
        await _host.StartAsync();
        using (var client = new Client(Hosted.GetListener("greet").LocalEndPoint))
        {
            client.Ask("x");
            Assert.That(await CheckAsync("ready"), Is.EqualTo(HealthStatus.Unhealthy));
            Assert.That(_description, Does.Contain("\"greet\"").And.EndWith($"{expected}."));
            Assert.That(await CheckAsync("live"), Is.EqualTo(HealthStatus.Healthy));
        }

        await _host.StopAsync();
    }

    [Test]
    public async Task ALoopThatHasEnded_IsNotAlive()
    {
        await _host.StartAsync();
        Reactor second = Hosted.Group.Reactors[1];
        second.Dispose();

        // Its thread disposes of it after the tick.
        Assert.That(SpinWait.SpinUntil(() => !second.TryPost(static () => { }), _bound));
        Assert.That(await CheckAsync("live"), Is.EqualTo(HealthStatus.Unhealthy));
    }

    // It is blocked for longer than the test waits, until the test lets it go.
    [Test]
    public async Task ABlockedLoop_IsNeitherAliveNorReady()
    {
        await _host.StartAsync();
        using var go = new ManualResetEventSlim();
        Hosted.Options.MaxLoopLag = TimeSpan.FromMilliseconds(20);
#pragma warning disable SR0002 // The callback blocks on purpose.
        Hosted.Group.Reactors[0].Post(() => go.Wait(_bound));
#pragma warning restore SR0002

        Assert.That(await CheckAsync("live"), Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(await CheckAsync("ready"), Is.EqualTo(HealthStatus.Unhealthy));
        Task probe = Hosted.Probes.Ask()[0];
        Assert.That(Hosted.Probes.Ask()[0], Is.SameAs(probe), "the probes must not pile up");
        go.Set();
        Hosted.Options.MaxLoopLag = _bound;
        Assert.That(await CheckAsync("live"), Is.EqualTo(HealthStatus.Healthy));
        Assert.That(await CheckAsync("ready"), Is.EqualTo(HealthStatus.Healthy));
        await _host.StopAsync();
    }

    private async Task<HealthStatus> CheckAsync(string tag)
    {
        HealthReport report = await _host.Services.GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(check => check.Tags.Contains(tag)).WaitAsync(_bound);
        Assert.That(report.Entries, Has.Count.EqualTo(1));
        _description = report.Entries.Values.Single().Description;
        return report.Status;
    }

    // What was posted before has run.
    private Task PassAsync() =>
        Task.WhenAll(Hosted.Group.Reactors.Select(static reactor => reactor.InvokeAsync(static () => { })));
}
