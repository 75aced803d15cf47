using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using SelectReactor.Hosting;

namespace SelectReactor;

/// <content>Clients that connect by themselves.</content>
public sealed partial class SelectReactorBuilder
{
    /// <summary>Adds a client with the options of the configuration section <c>Clients:</c> and its name.</summary>
    /// <inheritdoc cref="AddReconnectingClient{THandler}(string, Action{ReconnectingClientOptions})"/>
    public SelectReactorBuilder AddReconnectingClient<[DynamicallyAccessedMembers(Constructors)] THandler>(string name)
        where THandler : class, IConnectionHandler =>
        AddReconnectingClient<THandler>(name, static _ => { });

    /// <summary>Adds a client that stays connected: it connects when the host starts, and again whenever an attempt
    /// fails or the connection is lost, until the host stops. The start does not wait for it.
    /// <c>[FromKeyedServices("name")] ReconnectingClient</c> is its service.</summary>
    /// <typeparam name="THandler">The type of its handlers, as that of a server: each connection has one.</typeparam>
    /// <param name="name">The name of the client, for messages, configuration and as the key of its service.</param>
    /// <param name="configure">Sets the options, after the configuration.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is a client or a pool of this name; or the name is empty or
    /// has a colon.</exception>
    public SelectReactorBuilder AddReconnectingClient<[DynamicallyAccessedMembers(Constructors)] THandler>(
        string name, Action<ReconnectingClientOptions> configure)
        where THandler : class, IConnectionHandler
    {
        VerifyNewClient(name, configure, typeof(ReconnectingClient));
        _registrations.ReconnectingClients.Add(name, typeof(THandler));
        Services.TryAddScoped<THandler>();
        string reactor = _name;
        Services.AddKeyedSingleton(name, (services, _) => ReactorOf(services, reactor).GetReconnectingClient(name));
        OptionsBuilder<ReconnectingClientOptions> options =
            Services.AddOptions<ReconnectingClientOptions>(FullName(_name, name));
        if (_configuration?.GetSection($"Clients:{name}") is { } section)
        {
            options.Configure(client => ConfigurationFault.Guard(section, () => section.Bind(client)));
        }

        options.Configure(configure).ValidateOnStart();
        return this;
    }

    /// <summary>Adds a pool with the options of the configuration section <c>Clients:</c> and its name.</summary>
    /// <inheritdoc cref="AddConnectionPool(string, Action{PoolOptions})"/>
    public SelectReactorBuilder AddConnectionPool(string name) => AddConnectionPool(name, static _ => { });

    /// <summary>Adds a pool of connections to one server, for requests and responses. It connects when a connection is
    /// rented. <c>[FromKeyedServices("name")] ConnectionPool</c> is its service.</summary>
    /// <param name="name">The name of the pool, for messages, configuration and as the key of its service.</param>
    /// <param name="configure">Sets the options, after the configuration.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is a client or a pool of this name; or the name is empty or
    /// has a colon.</exception>
    public SelectReactorBuilder AddConnectionPool(string name, Action<PoolOptions> configure)
    {
        VerifyNewClient(name, configure, typeof(ConnectionPool));
        _registrations.Pools.Add(name);
        string reactor = _name;
        Services.AddKeyedSingleton(name, (services, _) => ReactorOf(services, reactor).GetConnectionPool(name));
        OptionsBuilder<PoolOptions> options = Services.AddOptions<PoolOptions>(FullName(_name, name));
        if (_configuration?.GetSection($"Clients:{name}") is { } section)
        {
            options.Configure(pool => ConfigurationFault.Guard(section, () => section.Bind(pool)));
        }

        options.Configure(configure).ValidateOnStart();
        return this;
    }

    // The kinds share a section of the configuration. A key of a service of another reactor's would hide that one.
    private void VerifyNewClient(string name, Delegate configure, Type service)
    {
        VerifyName(name);
        ArgumentNullException.ThrowIfNull(configure);
        if (_registrations.Clients.ContainsKey(name)
            || _registrations.ReconnectingClients.ContainsKey(name)
            || _registrations.Pools.Contains(name)
            || Services.Any(other => other.ServiceType == service && Equals(other.ServiceKey, name)))
        {
            throw new ArgumentException($"There is a client or a pool \"{name}\" already.", nameof(name));
        }
    }
}
