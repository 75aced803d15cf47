using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using SelectReactor.Hosting;

namespace SelectReactor;

/// <summary>SelectReactor in a host.</summary>
public static class SelectReactorServiceCollectionExtensions
{
    /// <summary>Adds reactors with default options.</summary>
    /// <inheritdoc cref="AddSelectReactor(IServiceCollection, string, IConfiguration, Action{SelectReactorOptions})"/>
    public static SelectReactorBuilder AddSelectReactor(this IServiceCollection services) =>
        Add(services, "", configuration: null, static _ => { });

    /// <summary>Adds reactors.</summary>
    /// <inheritdoc cref="AddSelectReactor(IServiceCollection, string, IConfiguration, Action{SelectReactorOptions})"/>
    public static SelectReactorBuilder AddSelectReactor(
        this IServiceCollection services, Action<SelectReactorOptions> configure) =>
        Add(services, "", configuration: null, configure);

    /// <summary>Adds reactors with the options of a configuration section.</summary>
    /// <inheritdoc cref="AddSelectReactor(IServiceCollection, string, IConfiguration, Action{SelectReactorOptions})"/>
    public static SelectReactorBuilder AddSelectReactor(
        this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return Add(services, "", configuration, static _ => { });
    }

    /// <summary>Adds reactors with the options of a configuration section.</summary>
    /// <inheritdoc cref="AddSelectReactor(IServiceCollection, string, IConfiguration, Action{SelectReactorOptions})"/>
    public static SelectReactorBuilder AddSelectReactor(
        this IServiceCollection services, IConfiguration configuration, Action<SelectReactorOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return Add(services, "", configuration, configure);
    }

    /// <summary>Adds reactors that start, drain and stop with the host. Without a name their services are
    /// <see cref="HostedReactor"/> and <see cref="ReactorGroup"/>; with one they have it as their key, so that a host
    /// can have several.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">The name.</param>
    /// <param name="configuration">The section with the options: <see cref="SelectReactorOptions"/>, and below
    /// <c>Servers</c> and <c>Clients</c> those of each by its name. It is read when the host starts.</param>
    /// <param name="configure">Sets options, after the configuration.</param>
    /// <returns>Adds servers, clients and health checks.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The name is empty or has a colon.</exception>
    /// <exception cref="InvalidOperationException">Reactors of this name are there already.</exception>
    public static SelectReactorBuilder AddSelectReactor(
        this IServiceCollection services,
        string name,
        IConfiguration configuration,
        Action<SelectReactorOptions> configure)
    {
        SelectReactorBuilder.VerifyName(name);
        ArgumentNullException.ThrowIfNull(configuration);
        return Add(services, name, configuration, configure);
    }

    /// <summary>Adds reactors.</summary>
    /// <inheritdoc cref="AddSelectReactor(IServiceCollection, string, IConfiguration, Action{SelectReactorOptions})"/>
    public static SelectReactorBuilder AddSelectReactor(
        this IServiceCollection services, string name, Action<SelectReactorOptions> configure)
    {
        SelectReactorBuilder.VerifyName(name);
        return Add(services, name, configuration: null, configure);
    }

    private static SelectReactorBuilder Add(
        IServiceCollection services,
        string name,
        IConfiguration? configuration,
        Action<SelectReactorOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        object? key = name.Length == 0 ? null : name;
        if (services.Any(service =>
            service.ServiceType == typeof(HostedReactor) && Equals(service.ServiceKey, key)))
        {
            throw new InvalidOperationException(key is null
                ? "AddSelectReactor was called before: keep its result, or give the second one a name."
                : $"AddSelectReactor was called before with the name \"{name}\".");
        }

        var registrations = new Registrations(configuration);
        services.AddSingleton(registrations);
        services.TryAddSingleton(new HandlerLifetimes(services));
        services.TryAddEnumerable(
        [
            ServiceDescriptor.Singleton<IValidateOptions<SelectReactorOptions>, OptionsValidation>(),
            ServiceDescriptor.Singleton<IValidateOptions<ServerOptions>, OptionsValidation>(),
            ServiceDescriptor.Singleton<IValidateOptions<ClientOptions>, OptionsValidation>(),
            ServiceDescriptor.Singleton<IValidateOptions<ReconnectingClientOptions>, OptionsValidation>(),
            ServiceDescriptor.Singleton<IValidateOptions<PoolOptions>, OptionsValidation>(),
        ]);
        OptionsBuilder<SelectReactorOptions> options = services.AddOptions<SelectReactorOptions>(name);
        if (configuration is not null)
        {
            options.Configure<IEnumerable<Registrations>>((reactor, all) =>
            {
                UnknownName.Verify(ConfigurationNames.Find(registrations, [.. all]));
                reactor.Group = reactor.Group.Clone();
                ConfigurationFault.Guard(configuration, () => configuration.Bind(reactor));
            });
        }

        options.Configure(configure).ValidateOnStart();
        if (key is null)
        {
            services.AddSingleton(provider => new HostedReactor(name, registrations, provider));
            services.AddSingleton(static provider => provider.GetRequiredService<HostedReactor>().Group);
        }
        else
        {
            services.AddKeyedSingleton(key, (provider, _) => new HostedReactor(name, registrations, provider));
            services.AddKeyedSingleton(
                key, (provider, _) => provider.GetRequiredKeyedService<HostedReactor>(key).Group);
        }

        services.AddSingleton<IHostedService>(provider =>
        {
            HostedReactor reactor = SelectReactorBuilder.ReactorOf(provider, name);

            // Services are disposed of in the opposite order: what waits for a loop comes before what ends the loops.
            registrations.MakeServices(provider);
            return new ReactorService(reactor);
        });
        return new SelectReactorBuilder(services, name, registrations);
    }
}
