using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>A server and a client on a simulated network. The meter is the server's.</summary>
public abstract class MeterFixture
{
    protected const int Port = 7;

    protected SimulatedNetwork Network { get; private set; } = null!;

    protected SimulatedHost Server { get; private set; } = null!;

    protected SimulatedHost Client { get; private set; } = null!;

    /// <summary>What the server's reactor has logged.</summary>
    protected ListLogger Log { get; private set; } = null!;

    internal MeterReadings Meter { get; private set; } = null!;

    protected ScriptedHandler ServerHandler { get; private set; } = null!;

    protected ScriptedHandler ClientHandler { get; private set; } = null!;

    [SetUp]
    public void CreateNetwork()
    {
        Meter = new MeterReadings();
        Log = new ListLogger();
        Network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        Server = Network.AddHost(
            "server", new ReactorOptions { MeterFactory = Meter, Logger = Log });
        Client = Network.AddHost("client", new ReactorOptions { Logger = NullLogger.Instance });
        ServerHandler = new ScriptedHandler();
        ClientHandler = new ScriptedHandler();
    }

    [TearDown]
    public void DisposeNetwork()
    {
        Network.Dispose();
        Meter.Dispose();
    }

    protected Listener Listen(ListenerOptions? options = null) =>
        Server.Reactor.Listen(Server.EndPoint(Port), ServerHandler, options ?? new ListenerOptions());

    /// <summary>A client's side of a connection that the server has accepted.</summary>
    protected Connection Connect()
    {
        Task<Connection> attempt = Attempt();
        return attempt.GetAwaiter().GetResult();
    }

    /// <summary>A client's attempt, which the server may refuse.</summary>
    protected Task<Connection> Attempt()
    {
        Task<Connection> task = Client.Reactor.ConnectAsync(Server.EndPoint(Port), ClientHandler);
        Network.RunUntil(() => task.IsCompleted);
        Network.RunUntilIdle();
        return task;
    }

    /// <summary>Runs code on the client's loop, and then the network until nothing happens any more.</summary>
    protected void OnClient(Action code)
    {
        Client.Reactor.Post(code);
        Network.RunUntilIdle();
    }

    protected void OnServer(Action code)
    {
        Server.Reactor.Post(code);
        Network.RunUntilIdle();
    }
}
