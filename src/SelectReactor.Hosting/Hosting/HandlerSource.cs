using Microsoft.Extensions.DependencyInjection;

namespace SelectReactor.Hosting;

/// <summary>Takes the handlers of connections from the services of the host: the one that is registered as a
/// singleton, or else one from a scope for each connection, which is disposed of when the connection is
/// closed.</summary>
internal sealed class HandlerSource(IServiceProvider services, Type type, bool isSingleton, ConnectionScopes scopes)
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
            scopes.DisposeAfter(connection, scope);
            return handler;
        }
        catch
        {
            scopes.Dispose(connection, scope);
            throw;
        }
    }
}
