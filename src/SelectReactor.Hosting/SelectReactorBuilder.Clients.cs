using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

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
        Services.TryAddScoped<THandler>();
        return AddClient<ReconnectingClientOptions, ReconnectingClient>(
            name,
            typeof(THandler),
            static (section, options) =>
            {
                options.Reconnect = options.Reconnect.Clone();
                section.Bind(options);
            },
            configure,
            static (reactor, name) => reactor.GetReconnectingClient(name));
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
    public SelectReactorBuilder AddConnectionPool(string name, Action<PoolOptions> configure) =>
        AddClient<PoolOptions, ConnectionPool>(
            name,
            handler: null,
            static (section, options) =>
            {
                options.Pool = options.Pool.Clone();
                section.Bind(options);
            },
            configure,
            static (reactor, name) => reactor.GetConnectionPool(name));
}
