using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace SelectReactor.Hosting;

/// <summary>Whether each loop runs what is posted to it, and how soon.</summary>
internal sealed class LiveCheck(HostedReactor reactor) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        TimeSpan limit = reactor.Options.MaxLoopLag;
        Task<TimeSpan>[] lags = reactor.Probes.Ask();
        Task all = Task.WhenAll(lags);
        await all.WaitAsync(limit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        var data = new Dictionary<string, object> { ["connections"] = reactor.Group.Statistics.Connections };
        for (int i = 0; i < lags.Length; i++)
        {
            data[$"lag{i}"] = lags[i].IsCompletedSuccessfully ? lags[i].Result : limit;
        }

        return lags.FirstOrDefault(static lag => lag.IsFaulted) is { } ended
            ? new HealthCheckResult(
                context.Registration.FailureStatus, "A reactor has ended.", ended.Exception!.InnerException, data)
            : !all.IsCompletedSuccessfully
            ? new HealthCheckResult(
                context.Registration.FailureStatus, $"A loop did not run a callback within {limit}.", null, data)
            : HealthCheckResult.Healthy(
                $"All loops ran a callback within {lags.Max(static lag => lag.Result)}.", data);
    }
}
