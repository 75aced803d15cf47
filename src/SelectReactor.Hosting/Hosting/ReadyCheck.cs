using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace SelectReactor.Hosting;

/// <summary>Whether the servers accept clients.</summary>
internal sealed class ReadyCheck(HostedReactor reactor) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(reactor.IsAccepting && reactor.MissingClient is { } client
            ? new HealthCheckResult(
                context.Registration.FailureStatus, $"The client \"{client}\" has no connection.")
            : reactor.IsAccepting
            ? HealthCheckResult.Healthy("All servers accept clients.")
            : new HealthCheckResult(
                context.Registration.FailureStatus,
                "A server does not accept clients: it is not started, paused, at a limit, or short of descriptors."));
}
