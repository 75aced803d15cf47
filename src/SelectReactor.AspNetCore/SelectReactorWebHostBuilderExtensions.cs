using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using SelectReactor.AspNetCore;

namespace SelectReactor;

/// <summary>SelectReactor as the transport of Kestrel.</summary>
public static class SelectReactorWebHostBuilderExtensions
{
    /// <summary>Lets Kestrel accept, receive and send by SelectReactor, with default options.</summary>
    /// <inheritdoc cref="UseSelectReactor(IWebHostBuilder, Action{SelectReactorTransportOptions})"/>
    public static IWebHostBuilder UseSelectReactor(this IWebHostBuilder builder) =>
        UseSelectReactor(builder, static _ => { });

    /// <summary>Lets Kestrel accept, receive and send by SelectReactor, with the options of a configuration
    /// section.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configuration">The section, with the names of <see cref="SelectReactorTransportOptions"/>.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IWebHostBuilder UseSelectReactor(this IWebHostBuilder builder, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configuration);
        var section = new TransportConfiguration(configuration);
        return UseSelectReactor(builder, section.Set).ConfigureServices(services => services.AddSingleton(section));
    }

    /// <summary>Lets Kestrel accept, receive and send by SelectReactor. IP and Unix-domain end points and file handles
    /// are bound by it; others are left to the transports that were added before. It may be called before or after
    /// <c>UseKestrel</c> and <c>UseSockets</c>: it comes first in any case. The reactors end with the host's
    /// services; the service <see cref="SelectReactorTransport"/> gives them.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IWebHostBuilder UseSelectReactor(
        this IWebHostBuilder builder, Action<SelectReactorTransportOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        return builder.ConfigureServices(services =>
        {
            services.Configure(configure);
            services.TryAddSingleton<TransportReactors>();
            services.TryAddSingleton(static provider =>
                new SelectReactorTransport(provider.GetRequiredService<TransportReactors>()));
            services.TryAddSingleton<IConnectionFactory, TransportConnector>();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TransportService>());

            // Kestrel asks the factories that were added last first.
            var factory = ServiceDescriptor.Singleton<IConnectionListenerFactory, TransportFactory>();
            if (services.FirstOrDefault(IsOurs) is { } earlier)
            {
                services.Remove(earlier);
            }

            services.Add(factory);
        });
    }

    private static bool IsOurs(ServiceDescriptor service) =>
        !service.IsKeyedService && service.ImplementationType == typeof(TransportFactory);
}
