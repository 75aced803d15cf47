using Microsoft.Extensions.Hosting;

namespace SelectReactor.Hosting;

/// <summary>Starts and stops a <see cref="HostedReactor"/> with the host. The servers begin to end before any other
/// service stops: a web server that lets its requests finish must not take the time from the connections here. Clients
/// and pools end in their turn: services that start later stop earlier, and may use them until then.</summary>
internal sealed class ReactorService(HostedReactor reactor) : IHostedLifecycleService, IDisposable
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => reactor.StartAsync(cancellationToken);

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        // It goes on meanwhile, and StopAsync waits for it.
        reactor.BeginStop(cancellationToken);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => reactor.StopAsync(cancellationToken);

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends a host that was not stopped, since another service did not start: the servers must not go on to
    /// accept clients while services are disposed of, nor clients wait for the end of their connections.</summary>
    public void Dispose() => reactor.Dispose();
}
