using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using SelectReactor.Hosting;

namespace SelectReactor;

/// <summary>
/// The reactors of a host, with their servers and clients. The host starts and stops them; take this service from
/// dependency injection, by its key if <c>AddSelectReactor</c> was given a name. All members may be used on any
/// thread. </summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed partial class HostedReactor : IDisposable
{
    private readonly string _name;
    private readonly Registrations _registrations;
    private readonly IServiceProvider _services;
    private readonly SelectReactorOptions _options;
    private readonly ILogger _logger;
    private readonly IHostApplicationLifetime? _lifetime;
    private readonly Dictionary<string, HostedClient> _clients = new(StringComparer.OrdinalIgnoreCase);
    private readonly OutgoingClients _outgoing;
    private readonly List<CertificateSource> _certificates = [];
    private readonly ConnectionScopes _scopes;
    private readonly Lazy<Task> _end;
    private readonly TimeSpan _timeToEnd;
    private readonly Lock _stopping = new();
    private Task? _stop;
    private volatile Dictionary<string, GroupListener>? _listeners;
    private volatile Phase _phase;

    internal HostedReactor(string name, Registrations registrations, IServiceProvider services)
    {
        _name = name;
        _registrations = registrations;
        _services = services;
        _options = services.GetRequiredService<IOptionsMonitor<SelectReactorOptions>>().Get(name);
        _lifetime = services.GetService<IHostApplicationLifetime>();
        ILoggerFactory loggers = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        _logger = loggers.CreateLogger("SelectReactor.Hosting");
        _scopes = new ConnectionScopes(_logger);
        _end = new Lazy<Task>(WaitForEndAsync);

        // The object may be the program's, and serve other hosts, too.
        ReactorGroupOptions group = _options.Group.Clone();
        ReactorOptions reactor = group.Reactor;
        if (reactor.Logger == new ReactorOptions().Logger)
        {
            reactor.Logger = loggers.CreateLogger("SelectReactor");
        }

        reactor.MeterFactory ??= services.GetService<IMeterFactory>();
        _outgoing = new OutgoingClients(registrations, services, FullName);

        // What loops and scopes have to end once connections are closed is far more than they need, unless something
        // blocks them. The group has it, too: the container disposes of it.
        if (group.DisposeTimeout == Timeout.InfiniteTimeSpan)
        {
            group.DisposeTimeout = TimeSpan.FromSeconds(2);
        }

        _timeToEnd = group.DisposeTimeout;
        foreach (Registration client in registrations.Of<ClientOptions>())
        {
            ClientOptions options =
                services.GetRequiredService<IOptionsMonitor<ClientOptions>>().Get(FullName(client.Name));
            EndPoint endPoint = options.ConnectTo ?? EndPointParser.TryParse(options.EndPoint!, isServer: false)!;
            _clients.Add(client.Name, new HostedClient(this, endPoint, SourceOf(client).Create, options.Connect));
        }

        Group = new ReactorGroup(_options.ReactorCount, group);
        try
        {
            _outgoing.Create(Group, client => SourceOf(client).Create);
        }
        catch
        {
            // Nobody else would.
            Group.Dispose();
            throw;
        }

        Probes = new LoopProbes(Group);
    }

    /// <summary>The reactors. The host disposes of them.</summary>
    public ReactorGroup Group { get; }

    /// <summary>Whether all servers listen and none of them is paused, full, or short of descriptors.</summary>
    public bool IsAccepting =>
        _phase == Phase.Open && _listeners?.Values.All(static listener => listener.IsAccepting) is true;

    internal SelectReactorOptions Options => _options;

    /// <summary>Why a server does not accept clients, with its name. Null if all do.</summary>
    internal string? WhyNotAccepting
    {
        get
        {
            if (_phase != Phase.Open)
            {
                return "The host stops.";
            }

            if (_listeners is not { } listeners)
            {
                return "The host has not started the servers yet.";
            }

            return listeners.Where(static server => !server.Value.IsAccepting)
                .Select(server => $"The server \"{server.Key}\" does not accept clients: {Why(server)}.")
                .FirstOrDefault();
        }
    }

    /// <summary>The name of a client that is required and has no connection. Null if there is none.</summary>
    internal string? MissingClient => _outgoing.Missing;

    internal LoopProbes Probes { get; }

    /// <summary>The listener of a server.</summary>
    /// <param name="server">The name that was given to <c>AddServer</c>.</param>
    /// <exception cref="InvalidOperationException">There is no such server, or the host has not started it
    /// yet.</exception>
    public GroupListener GetListener(string server)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (_registrations.Find(server, isServer: true) is null)
        {
            throw new InvalidOperationException($"There is no server \"{server}\": add it with AddServer.");
        }

        return _listeners is { } listeners
            ? listeners[server]
            : throw new InvalidOperationException(
                $"The server \"{server}\" does not listen: the host has not started.");
    }

    /// <summary>A client.</summary>
    /// <param name="client">The name that was given to <c>AddClient</c>.</param>
    /// <exception cref="InvalidOperationException">There is no such client.</exception>
    public HostedClient GetClient(string client)
    {
        ArgumentNullException.ThrowIfNull(client);
        return _clients.TryGetValue(client, out HostedClient? found)
            ? found
            : throw new InvalidOperationException($"There is no client \"{client}\": add it with AddClient.");
    }

    /// <summary>A client that stays connected.</summary>
    /// <param name="client">The name that was given to <c>AddReconnectingClient</c>.</param>
    /// <exception cref="InvalidOperationException">There is no such client.</exception>
    public ReconnectingClient GetReconnectingClient(string client)
    {
        ArgumentNullException.ThrowIfNull(client);
        return _outgoing.GetReconnectingClient(client);
    }

    /// <summary>A pool of connections.</summary>
    /// <param name="pool">The name that was given to <c>AddConnectionPool</c>.</param>
    /// <exception cref="InvalidOperationException">There is no such pool.</exception>
    public ConnectionPool GetConnectionPool(string pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return _outgoing.GetPool(pool);
    }

    /// <summary>The name and the numbers. Any thread.</summary>
    public override string ToString() => _name.Length == 0 ? $"{Group}" : $"{_name}: {Group}";

    private string Why(KeyValuePair<string, GroupListener> server)
    {
        int limit = _services.GetRequiredService<IOptionsMonitor<ServerOptions>>().Get(FullName(server.Key))
            .Listener.MaxConnections;
        int limitOfAll = _options.Group.MaxConnections;
        return server.Value switch
        {
            { IsPaused: true } => "it is paused",
            { ConnectionCount: int count } when count >= limit => $"it is at its limit of {limit} connections",
            _ when Group.Statistics.Connections >= limitOfAll =>
                $"the reactors are at their limit of {limitOfAll} connections",
            _ => "it is closed, or accepting fails, most likely since descriptors are short (see the log)",
        };
    }

    private HandlerSource SourceOf(Registration part)
    {
        bool isSingleton = _services.GetRequiredService<HandlerLifetimes>().IsSingleton(part.Handler!);
        return new HandlerSource(_services, part.Handler!, isSingleton, _scopes);
    }

    private string FullName(string part) => SelectReactorBuilder.FullName(_name, part);
}
