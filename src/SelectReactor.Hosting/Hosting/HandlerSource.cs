using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Hosting;

/// <summary>Takes the handlers of connections from the services of the host: the one that is registered as a
/// singleton, or else one from a scope for each connection, which is disposed of when the connection is
/// closed.</summary>
internal sealed class HandlerSource(IServiceProvider services, Type type, bool isSingleton, ILogger logger)
{
    private IConnectionHandler? _singleton;

    /// <summary>The reactor's thread.</summary>
    public IConnectionHandler Create(Connection connection)
    {
        if (isSingleton)
        {
            return _singleton ??= (IConnectionHandler)services.GetRequiredService(type);
        }

        AsyncServiceScope scope = services.CreateAsyncScope();
        try
        {
            var handler = (IConnectionHandler)scope.ServiceProvider.GetRequiredService(type);
            _ = DisposeAfterAsync(connection, scope);
            return handler;
        }
        catch
        {
            scope.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A service of the user's must not end the loop.")]
    private async Task DisposeAfterAsync(Connection connection, AsyncServiceScope scope)
    {
        await connection.Completion;
        try
        {
            await scope.DisposeAsync();
        }
        catch (Exception exception)
        {
            HostingLog.ScopeFault(logger, connection, exception);
        }
    }
}
