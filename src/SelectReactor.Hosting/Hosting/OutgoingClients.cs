using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace SelectReactor.Hosting;

/// <summary>The clients of a <see cref="HostedReactor"/> that reconnect by themselves, and its pools.</summary>
internal sealed class OutgoingClients
{
    private readonly Dictionary<string, ReconnectingClientOptions> _reconnectingOptions = [];
    private readonly Dictionary<string, PoolOptions> _poolOptions = [];
    private readonly Dictionary<string, ReconnectingClient> _reconnecting = [];
    private readonly Dictionary<string, ConnectionPool> _pools = [];

    /// <summary>Reads the options, which throws if they are not valid.</summary>
    public OutgoingClients(Registrations registrations, IServiceProvider services, Func<string, string> fullName)
    {
        var reconnecting = services.GetRequiredService<IOptionsMonitor<ReconnectingClientOptions>>();
        foreach (string name in registrations.ReconnectingClients.Keys)
        {
            _reconnectingOptions.Add(name, reconnecting.Get(fullName(name)));
        }

        var pools = services.GetRequiredService<IOptionsMonitor<PoolOptions>>();
        foreach (string name in registrations.Pools)
        {
            _poolOptions.Add(name, pools.Get(fullName(name)));
        }
    }

    /// <summary>The name of a client that is required and has no connection. Null if there is none.</summary>
    public string? Missing => _reconnecting
        .Where(client => _reconnectingOptions[client.Key].IsRequired && client.Value.Connection is null)
        .Select(static client => client.Key)
        .FirstOrDefault();

    /// <summary>Makes them, on the reactors in turn. They do nothing yet.</summary>
    public void Create(ReactorGroup group, Func<string, Func<Connection, IConnectionHandler>> handlerFactory)
    {
        int next = 0;
        foreach ((string name, ReconnectingClientOptions options) in _reconnectingOptions)
        {
            Reactor reactor = group.Reactors[next++ % group.Reactors.Count];
            EndPoint endPoint = EndPointOf(options.ConnectTo, options.EndPoint);
            _reconnecting.Add(
                name, new ReconnectingClient(reactor, [endPoint], handlerFactory(name), options.Reconnect));
        }

        foreach ((string name, PoolOptions options) in _poolOptions)
        {
            Reactor reactor = group.Reactors[next++ % group.Reactors.Count];
            _pools.Add(
                name, new ConnectionPool(reactor, EndPointOf(options.ConnectTo, options.EndPoint), options.Pool));
        }
    }

    public void Start(ILogger logger)
    {
        foreach ((string name, ReconnectingClient client) in _reconnecting)
        {
            client.Start();
            client.Completion.ContinueWith(
                ended =>
                {
                    if (ended.Result.Kind == ReconnectEndKind.GaveUp)
                    {
                        HostingLog.ClientGaveUp(logger, name, ended.Result.Error?.Message);
                    }
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    public ReconnectingClient GetReconnectingClient(string name) =>
        _reconnecting.TryGetValue(name, out ReconnectingClient? found)
            ? found
            : throw new InvalidOperationException(
                $"There is no reconnecting client \"{name}\": add it with AddReconnectingClient.");

    public ConnectionPool GetPool(string name) =>
        _pools.TryGetValue(name, out ConnectionPool? found)
            ? found
            : throw new InvalidOperationException($"There is no pool \"{name}\": add it with AddConnectionPool.");

    private static EndPoint EndPointOf(EndPoint? inCode, string? text) =>
        inCode ?? EndPointParser.TryParse(text!, isServer: false)!;
}
