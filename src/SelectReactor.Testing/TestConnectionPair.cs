using System.Net;
using SelectReactor.Testing.InMemory;

namespace SelectReactor.Testing;

/// <summary>
/// Two handlers that talk to each other in memory, such as the client and the server of one protocol, on a network
/// without delays. Each has a connection of production and a reactor of its own. When a member returns, only timers
/// are left. Use it on one thread at a time, and not inside callbacks. For delays and faults between the two, see
/// <see cref="SimulatedNetwork"/>.
/// </summary>
/// <remarks>The member in which a handler, a timer or a posted callback throws an exception throws it too, as with
/// <see cref="TestConnection"/>.</remarks>
public sealed class TestConnectionPair : IDisposable
{
    private readonly TestBench _bench = new();

    /// <summary>Two handlers with the default options.</summary>
    /// <inheritdoc cref="TestConnectionPair(IConnectionHandler, ConnectionOptions, IConnectionHandler,
    /// ConnectionOptions)"/>
    public TestConnectionPair(IConnectionHandler client, IConnectionHandler server)
        : this(client, new ConnectionOptions(), server, new ConnectionOptions())
    {
    }

    /// <summary>Connects two handlers and lets them talk. Throws what they throw.</summary>
    /// <param name="client">The handler of the side that connects.</param>
    /// <param name="clientOptions">The options of the client's connection.</param>
    /// <param name="server">The handler of the side that accepts.</param>
    /// <param name="serverOptions">The options of the server's connection.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="SimulationException">They do not come to an end.</exception>
    public TestConnectionPair(
        IConnectionHandler client,
        ConnectionOptions clientOptions,
        IConnectionHandler server,
        ConnectionOptions serverOptions)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(clientOptions);
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(serverOptions);
        Connection? accepted = null;
        SimulatedHost host = _bench.AddHost("server");
        IPEndPoint endPoint = TestBench.EndPointOf(host);
        host.Reactor.Listen(endPoint, Give, new ListenerOptions { Connection = serverOptions });
        Task<Connection> connected = _bench.AddHost("client").Reactor.ConnectAsync(
            endPoint, client, new ConnectOptions { Connection = clientOptions });
        try
        {
            _bench.Run();
        }
        catch
        {
            _bench.Dispose();
            throw;
        }

        Client = connected.GetAwaiter().GetResult();
        Server = accepted!;

        IConnectionHandler Give(Connection connection)
        {
            accepted = connection;
            return server;
        }
    }

    /// <summary>The client's connection. A test may use it; call <see cref="Run"/> afterwards, so that it takes
    /// effect.</summary>
    public Connection Client { get; }

    /// <summary>The server's connection. A test may use it; call <see cref="Run"/> afterwards, so that it takes
    /// effect.</summary>
    public Connection Server { get; }

    /// <summary>The clock of both. Only <see cref="Advance"/> moves it.</summary>
    public SimulatedClock Clock => _bench.Clock;

    /// <summary>Lets time pass. Timers and time-outs fire at their time.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The pair is disposed.</exception>
    /// <exception cref="SimulationException">They do not come to an end.</exception>
    public void Advance(TimeSpan time) => _bench.Advance(time);

    /// <summary>Runs until only timers are left. Call it after the test has used a connection, or has completed a task
    /// that a handler awaits.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The pair is disposed.</exception>
    /// <exception cref="SimulationException">They do not come to an end.</exception>
    public void Run() => _bench.Run();

    /// <summary>Stops both reactors: connections that are still open close with
    /// <see cref="CloseKind.ReactorStopped"/>. Exceptions that handlers throw then are dropped. Idempotent.</summary>
    public void Dispose() => _bench.Dispose();
}
