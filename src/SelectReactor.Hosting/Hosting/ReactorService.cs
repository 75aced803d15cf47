using Microsoft.Extensions.Hosting;

namespace SelectReactor.Hosting;

/// <summary>Starts and stops a <see cref="HostedReactor"/> with the host.</summary>
internal sealed class ReactorService(HostedReactor reactor) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => reactor.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => reactor.StopAsync(cancellationToken);
}
