using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace SelectReactor.Hosting;

/// <summary>Whether the servers accept clients, and the loops serve them.</summary>
internal sealed class ReadyCheck(HostedReactor reactor) : IHealthCheck
{
    private readonly LiveCheck _live = new(reactor);

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!reactor.IsAccepting)
        {
            return new HealthCheckResult(
                context.Registration.FailureStatus,
                "A server does not accept clients: it is not started, paused, at a limit, or short of descriptors.");
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
