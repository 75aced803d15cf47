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
public sealed class HostedReactor : IDisposable
{
    private readonly string _name;
    private readonly Registrations _registrations;
    private readonly IServiceProvider _services;
    private readonly SelectReactorOptions _options;
    private readonly ILogger _logger;
    private readonly Dictionary<string, GroupListener> _listeners = [];
    private readonly Dictionary<string, HostedClient> _clients = [];
    private readonly OutgoingClients _outgoing;
    private readonly List<CertificateSource> _certificates = [];
    private volatile bool _isStarted;
    private volatile bool _isStopping;

    internal HostedReactor(string name, Registrations registrations, IServiceProvider services)
    {
        _name = name;
        _registrations = registrations;
        _services = services;
        _options = services.GetRequiredService<IOptionsMonitor<SelectReactorOptions>>().Get(name);
        ILoggerFactory loggers = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        _logger = loggers.CreateLogger("SelectReactor.Hosting");
        ReactorOptions reactor = _options.Group.Reactor;
        if (reactor.Logger == new ReactorOptions().Logger)
        {
            reactor.Logger = loggers.CreateLogger("SelectReactor");
        }

        reactor.MeterFactory ??= services.GetService<IMeterFactory>();
        _outgoing = new OutgoingClients(registrations, services, FullName);
        Group = new ReactorGroup(_options.ReactorCount, _options.Group);
        _outgoing.Create(Group, client => SourceOf(registrations.ReconnectingClients[client]).Create);
        foreach ((string client, Type handler) in registrations.Clients)
        {
            ClientOptions options =
                services.GetRequiredService<IOptionsMonitor<ClientOptions>>().Get(FullName(client));
            EndPoint endPoint = options.ConnectTo ?? EndPointParser.TryParse(options.EndPoint!, isServer: false)!;
            _clients.Add(client, new HostedClient(Group, endPoint, SourceOf(handler).Create, options.Connect));
        }
    }

    /// <summary>The reactors. The host disposes of them.</summary>
    public ReactorGroup Group { get; }

    /// <summary>Whether all servers listen and none of them is paused, full, or short of descriptors.</summary>
    public bool IsAccepting => _isStarted && _listeners.Values.All(static listener => listener.IsAccepting);

    internal SelectReactorOptions Options => _options;

    /// <summary>The name of a client that is required and has no connection. Null if there is none.</summary>
    internal string? MissingClient => _outgoing.Missing;

    /// <summary>The listener of a server.</summary>
    /// <param name="server">The name that was given to <c>AddServer</c>.</param>
    /// <exception cref="InvalidOperationException">There is no such server, or the host has not started it
    /// yet.</exception>
    public GroupListener GetListener(string server)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (!_registrations.Servers.ContainsKey(server))
        {
            throw new InvalidOperationException($"There is no server \"{server}\": add it with AddServer.");
        }

        return _isStarted
            ? _listeners[server]
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

    /// <summary>Disposes of the reactors. The host does it.</summary>
    public void Dispose()
    {
        _isStopping = true;
        Group.Dispose();
        _certificates.ForEach(static certificate => certificate.Dispose());
    }

    /// <summary>The name and the numbers. Any thread.</summary>
    public override string ToString() => _name.Length == 0 ? $"{Group}" : $"{_name}: {Group}";

    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach ((string server, Type handler) in _registrations.Servers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await ListenAsync(server, handler).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                await Group.ShutdownAsync(TimeSpan.Zero).ConfigureAwait(false);
                throw new InvalidOperationException(
                    $"The server \"{server}\" did not start. {exception.Message}", exception);
            }
        }

        _outgoing.Start(_logger);
        _isStarted = true;
        foreach (Reactor reactor in Group.Reactors)
        {
            reactor.Stopping.UnsafeRegister(static self => ((HostedReactor)self!).NoteEnd(), this);
        }
    }

    /// <summary>Lets the connections go on until the time-out of the options, or until the token is
    /// cancelled.</summary>
    internal async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        Task shutdown = Group.ShutdownAsync(_options.DrainTimeout);
        using (cancellationToken.UnsafeRegister(static self => ((HostedReactor)self!).CutDrain(), this))
        {
            await shutdown.ConfigureAwait(false);
        }
    }

    private void CutDrain()
    {
        HostingLog.DrainCut(_logger, Group.Statistics.Connections);
        Group.ShutdownAsync(TimeSpan.Zero);
    }

    private async Task ListenAsync(string server, Type handler)
    {
        ServerOptions options = _services.GetRequiredService<IOptionsMonitor<ServerOptions>>().Get(FullName(server));
        ListenerOptions listening = options.Listener;
        EndPoint endPoint = options.ListenOn ?? EndPointParser.TryParse(options.EndPoint!, isServer: true)!;
        if (options.ListenOn is null && options.EndPoint!.StartsWith('*'))
        {
            listening.DualMode = true;
        }

        if (ServerSecurity.Apply(options, _logger) is { } certificate)
        {
            _certificates.Add(certificate);
        }

        GroupListener listener =
            await Group.ListenAsync(endPoint, SourceOf(handler).Create, listening).ConfigureAwait(false);
        _listeners.Add(server, listener);
        HostingLog.Started(_logger, server, $"{listener.LocalEndPoint}");
    }

    // A dead loop can't serve anybody: whatever runs the program starts it anew.
    private void NoteEnd()
    {
        if (!_isStopping)
        {
            HostingLog.LoopEnded(_logger, _name);
            _services.GetService<IHostApplicationLifetime>()?.StopApplication();
        }
    }

    private HandlerSource SourceOf(Type handler)
    {
        bool isSingleton = _services.GetRequiredService<HandlerLifetimes>().IsSingleton(handler);
        return new HandlerSource(_services, handler, isSingleton, _logger);
    }

    private string FullName(string part) => SelectReactorBuilder.FullName(_name, part);
}
