using Microsoft.Extensions.DependencyInjection;

namespace SelectReactor.Hosting;

/// <summary>How long the handlers live that are registered in a collection of services.</summary>
internal sealed class HandlerLifetimes(IServiceCollection services)
{
    public bool IsSingleton(Type handler) => services.LastOrDefault(
        service => service.ServiceType == handler && !service.IsKeyedService)?.Lifetime == ServiceLifetime.Singleton;
}
