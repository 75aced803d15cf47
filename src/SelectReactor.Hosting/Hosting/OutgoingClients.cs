using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace SelectReactor.Hosting;

/// <summary>The clients of a <see cref="HostedReactor"/> that reconnect by themselves, and its pools.</summary>
internal sealed class OutgoingClients
{
    private readonly Dictionary<Registration, ReconnectingClientOptions> _reconnectingOptions = [];
    private readonly Dictionary<string, PoolOptions> _poolOptions = [];
    private readonly Dictionary<string, ReconnectingClient> _reconnecting = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, ConnectionPool> _pools = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads the options, which throws if they are not valid.</summary>
    public OutgoingClients(Registrations registrations, IServiceProvider services, Func<string, string> fullName)
    {
        var reconnecting = services.GetRequiredService<IOptionsMonitor<ReconnectingClientOptions>>();
        foreach (Registration client in registrations.Of<ReconnectingClientOptions>())
        {
            _reconnectingOptions.Add(client, reconnecting.Get(fullName(client.Name)));
        }

        var pools = services.GetRequiredService<IOptionsMonitor<PoolOptions>>();
        foreach (Registration pool in registrations.Of<PoolOptions>())
        {
            _poolOptions.Add(pool.Name, pools.Get(fullName(pool.Name)));
        }
    }

    /// <summary>The name of a client that is required and has no connection. Null if there is none.</summary>
    public string? Missing => _reconnectingOptions
        .Where(static client => client.Value.IsRequired)
        .Select(static client => client.Key.Name)
        .FirstOrDefault(name => _reconnecting[name].Connection is null);

    /// <summary>Makes them, on the reactors in turn. They do nothing yet.</summary>
    public void Create(ReactorGroup group, Func<Registration, Func<Connection, IConnectionHandler>> handlerFactory)
    {
        int next = 0;
        foreach ((Registration client, ReconnectingClientOptions options) in _reconnectingOptions)
        {
            Reactor reactor = group.Reactors[next++ % group.Reactors.Count];
            EndPoint endPoint = EndPointOf(options.ConnectTo, options.EndPoint);
            _reconnecting.Add(
                client.Name, new ReconnectingClient(reactor, [endPoint], handlerFactory(client), options.Reconnect));
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
            Log(logger, name, client);
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

    // If no attempt follows, the client has given up, which is logged, or it was told to end.
    private static void Log(ILogger logger, string name, ReconnectingClient client)
    {
        // A server that is away for long must not fill the log.
        LogLevel level = LogLevel.Warning;
        client.Connected += connection =>
        {
            level = LogLevel.Warning;
            HostingLog.ClientConnected(logger, name, connection);
        };
        client.AttemptFailed += failed =>
        {
            if (failed.NextAttemptIn is { } delay)
            {
                HostingLog.ClientFailed(logger, level, name, failed.EndPoint, delay, failed.Error.Message);
                level = LogLevel.Debug;
            }
        };
        client.Lost += lost =>
        {
            if (lost.NextAttemptIn is { } delay)
            {
                HostingLog.ClientLost(logger, name, lost.Connection, lost.Reason.Kind, lost.OpenFor, delay);
            }
        };
    }

    private static EndPoint EndPointOf(EndPoint? inCode, string? text) =>
        inCode ?? EndPointParser.TryParse(text!, isServer: false)!;
}
