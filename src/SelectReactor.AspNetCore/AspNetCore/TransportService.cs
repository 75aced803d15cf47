using Microsoft.Extensions.Hosting;

namespace SelectReactor.AspNetCore;

/// <summary>Fails the stop of a host whose loops did not serve up to its end, so that the program does not end as if
/// all were well. Kestrel has ended before.</summary>
internal sealed class TransportService(TransportReactors reactors) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => reactors.VerifyAsync();
}
