using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Hosting;

/// <summary>
/// The scopes of services that connections have. It disposes of each and counts those that are left, so that the host
/// waits for them before it disposes of the services that they use.
/// </summary>
internal sealed class ConnectionScopes(ILogger logger)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The scopes, and one until <see cref="EndAsync"/>.</summary>
    private int _count = 1;
    private volatile bool _isEnding;

    /// <summary>The number of scopes that are not disposed of.</summary>
    public int Left => Volatile.Read(ref _count) - (_isEnding ? 0 : 1);

    /// <summary>Disposes of a scope once its connection is closed. The reactor's thread.</summary>
    public void DisposeAfter(Connection connection, AsyncServiceScope scope)
    {
        Interlocked.Increment(ref _count);
        _ = DisposeAsync(connection, connection.Completion, scope);
    }

    /// <summary>Disposes of a scope now, without waiting for what its services await: that may come back to this very
    /// thread. The reactor's thread.</summary>
    public void Dispose(Connection connection, AsyncServiceScope scope)
    {
        Interlocked.Increment(ref _count);
        _ = DisposeAsync(connection, Task.CompletedTask, scope);
    }

    /// <summary>Completes when no scope is left. To be called once, when no loop makes one any more.</summary>
    public Task EndAsync()
    {
        Leave();
        _isEnding = true;
        return _ended.Task;
    }

    [SuppressMessage("Design", "CA1031", Justification = "A service of the user's must not end the loop.")]
    private async Task DisposeAsync(Connection connection, Task closed, AsyncServiceScope scope)
    {
        await closed;
        try
        {
            await scope.DisposeAsync();
        }
        catch (Exception exception)
        {
            HostingLog.ScopeFault(logger, connection, exception);
        }

        Leave();
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _count) == 0)
        {
            _ended.TrySetResult();
        }
    }
}
