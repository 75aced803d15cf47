using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace SelectReactor.Hosting;

/// <summary>Whether the servers accept clients, and the loops serve them.</summary>
internal sealed class ReadyCheck(HostedReactor reactor) : IHealthCheck
{
    private readonly LiveCheck _live = new(reactor);

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (reactor.WhyNotAccepting is { } reason)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, reason);
        }

        if (reactor.MissingClient is { } client)
        {
            return new HealthCheckResult(
                context.Registration.FailureStatus, $"The client \"{client}\" has no connection.");
        }

        HealthCheckResult live = await _live.CheckHealthAsync(context, cancellationToken).ConfigureAwait(false);
        return live.Status == HealthStatus.Healthy
            ? HealthCheckResult.Healthy("All servers accept clients.", live.Data)
            : live;
    }
}
