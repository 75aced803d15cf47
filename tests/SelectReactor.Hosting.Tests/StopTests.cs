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
}
