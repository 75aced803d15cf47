using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using SelectReactor.Hosting;

namespace SelectReactor;

/// <summary>Adds servers, clients and health checks to what <c>AddSelectReactor</c> has added to a host.</summary>
public sealed partial class SelectReactorBuilder
{
    private const DynamicallyAccessedMemberTypes Constructors = DynamicallyAccessedMemberTypes.PublicConstructors;
    private const DynamicallyAccessedMemberTypes Constructor =
        DynamicallyAccessedMemberTypes.PublicParameterlessConstructor;

    private readonly string _name;
    private readonly Registrations _registrations;

    internal SelectReactorBuilder(IServiceCollection services, string name, Registrations registrations)
    {
        Services = services;
        _name = name;
        _registrations = registrations;
    }

    /// <summary>The services of the host.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Adds a server with the options of the configuration section <c>Servers:</c> and its name.</summary>
    /// <inheritdoc cref="AddServer{THandler}(string, Action{ServerOptions})"/>
    public SelectReactorBuilder AddServer<[DynamicallyAccessedMembers(Constructors)] THandler>(string name)
        where THandler : class, IConnectionHandler =>
        AddServer<THandler>(name, static _ => { });

    /// <summary>Adds a server that listens on an address.</summary>
    /// <inheritdoc cref="AddServer{THandler}(string, Action{ServerOptions})"/>
    public SelectReactorBuilder AddServer<[DynamicallyAccessedMembers(Constructors)] THandler>(
        string name, EndPoint endPoint)
        where THandler : class, IConnectionHandler
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return AddServer<THandler>(name, options => options.ListenOn = endPoint);
    }

    /// <summary>Adds a server. It starts with the host, which does not start if the server can't, and ends with
    /// it.</summary>
    /// <typeparam name="THandler">The type of its handlers. Their dependencies are injected. Each connection has a
    /// handler of its own and a scope of services, which is disposed of when the connection is closed. A type that you
    /// have registered as a singleton serves all connections with one handler.</typeparam>
    /// <param name="name">The name of the server, for messages, configuration and
    /// <see cref="HostedReactor.GetListener"/>.</param>
    /// <param name="configure">Sets the options, after the configuration.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is a server of this name; or the name is empty or has a
    /// colon.</exception>
    public SelectReactorBuilder AddServer<[DynamicallyAccessedMembers(Constructors)] THandler>(
        string name, Action<ServerOptions> configure)
        where THandler : class, IConnectionHandler
    {
        VerifyName(name);
        if (_registrations.Find(name, isServer: true) is not null)
        {
            throw new ArgumentException($"There is a server \"{name}\" already.", nameof(name));
        }

        Services.TryAddScoped<THandler>();
        return Add<ServerOptions>(
            name,
            typeof(THandler),
            static (section, options) =>
            {
                options.Listener = options.Listener.Clone();
                section.Bind(options);
            },
            configure);
    }

    /// <summary>Adds a client with the options of the configuration section <c>Clients:</c> and its name.</summary>
    /// <inheritdoc cref="AddClient{THandler}(string, Action{ClientOptions})"/>
    public SelectReactorBuilder AddClient<[DynamicallyAccessedMembers(Constructors)] THandler>(string name)
        where THandler : class, IConnectionHandler =>
        AddClient<THandler>(name, static _ => { });

    /// <summary>Adds a client, which connects when it is told to: <c>[FromKeyedServices("name")] HostedClient</c> is
    /// its service.</summary>
    /// <typeparam name="THandler">The type of its handlers, as that of a server.</typeparam>
    /// <param name="name">The name of the client, for messages, configuration and as the key of its service.</param>
    /// <param name="configure">Sets the options, after the configuration.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is a client of this name, at these reactors or at others; or the name
    /// is empty or has a colon.</exception>
    public SelectReactorBuilder AddClient<[DynamicallyAccessedMembers(Constructors)] THandler>(
        string name, Action<ClientOptions> configure)
        where THandler : class, IConnectionHandler
    {
        Services.TryAddScoped<THandler>();
        return AddClient<ClientOptions, HostedClient>(
            name,
            typeof(THandler),
            static (section, options) =>
            {
                options.Connect = options.Connect.Clone();
                section.Bind(options);
            },
            configure,
            static (reactor, name) => reactor.GetClient(name));
    }

    /// <summary>Adds two health checks: <c>selectreactor-live</c> with the tag <c>live</c>, which fails if a loop has
    /// ended or does not run a callback within <see cref="SelectReactorOptions.MaxLoopLag"/>, and
    /// <c>selectreactor-ready</c> with the tag <c>ready</c>, which fails then, too, and while a server does not accept
    /// clients, or a client that is required has no connection. The name of the reactors, if they have one, comes
    /// after <c>selectreactor-</c>.</summary>
    public SelectReactorBuilder AddHealthChecks()
    {
        string reactor = _name;
        string prefix = reactor.Length == 0 ? "selectreactor" : $"selectreactor-{reactor}";
        Services.AddHealthChecks()
            .Add(new HealthCheckRegistration(
                $"{prefix}-live", services => new LiveCheck(ReactorOf(services, reactor)), null, ["live"]))
            .Add(new HealthCheckRegistration(
                $"{prefix}-ready", services => new ReadyCheck(ReactorOf(services, reactor)), null, ["ready"]));
        return this;
    }

    /// <summary>Checks the name of reactors, a server or a client. A colon separates names in configuration, and here
    /// the name of the reactors from that of a server.</summary>
    internal static void VerifyName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains(':', StringComparison.Ordinal))
        {
            throw new ArgumentException($"The name \"{name}\" must not have a colon.", nameof(name));
        }
    }

    internal static string FullName(string reactor, string part) => reactor.Length == 0 ? part : $"{reactor}:{part}";

    internal static HostedReactor ReactorOf(IServiceProvider services, string name) =>
        name.Length == 0
            ? services.GetRequiredService<HostedReactor>()
            : services.GetRequiredKeyedService<HostedReactor>(name);

    private SelectReactorBuilder AddClient<[DynamicallyAccessedMembers(Constructor)] TOptions, TClient>(
        string name,
        Type? handler,
        Action<IConfiguration, TOptions> bind,
        Action<TOptions> configure,
        Func<HostedReactor, string, TClient> get)
        where TOptions : class
        where TClient : class
    {
        // The kinds share a section of the configuration. A key of a service of another reactor's would hide that one.
        VerifyName(name);
        if (_registrations.Find(name, isServer: false) is not null
            || Services.Any(other => other.ServiceType == typeof(TClient) && Equals(other.ServiceKey, name)))
        {
            throw new ArgumentException($"There is a client or a pool \"{name}\" already.", nameof(name));
        }

        string reactor = _name;
        Services.AddKeyedSingleton(name, (services, _) => get(ReactorOf(services, reactor), name));
        return Add(name, handler, bind, configure);
    }

    private SelectReactorBuilder Add<[DynamicallyAccessedMembers(Constructor)] TOptions>(
        string name, Type? handler, Action<IConfiguration, TOptions> bind, Action<TOptions> configure)
        where TOptions : class
    {
        ArgumentNullException.ThrowIfNull(configure);
        var registration = new Registration(name, typeof(TOptions), handler);
        _registrations.Add(registration);
        OptionsBuilder<TOptions> options = Services.AddOptions<TOptions>(FullName(_name, name));

        // What binds copies the options inside first: they may be an object that the program has set for several.
        string place = $"{(registration.IsServer ? "Servers" : "Clients")}:{name}";
        if (_registrations.Configuration?.GetSection(place) is { } section)
        {
            options.Configure(target => ConfigurationFault.Guard(section, () => bind(section, target)));
        }

        options.Configure(configure).ValidateOnStart();
        return this;
    }
}
