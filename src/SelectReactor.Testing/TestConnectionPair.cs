using System.Net;
using SelectReactor.Testing.InMemory;

namespace SelectReactor.Testing;

/// <summary>
/// Two handlers that talk to each other in memory, such as the client and the server of one protocol, on a network
/// without delays. Each is on the connection of production and a reactor of its own. They have said what they have to
/// say when a member returns: only timers are left. To be used on one thread at a time, and not inside their
/// callbacks. For delays and faults between the two, see <see cref="SimulatedNetwork"/>.
/// </summary>
/// <remarks>What a handler, a timer or a posted callback throws, the member that it happened in throws, too, as with
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
    /// <param name="client">Who connects.</param>
    /// <param name="clientOptions">For the client's connection.</param>
    /// <param name="server">Who accepts.</param>
    /// <param name="serverOptions">For the server's connection.</param>
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
        IPEndPoint endPoint = TestBench.Listen(_bench.AddHost("server"), Give, serverOptions);
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

    /// <summary>The client's connection. A test may use it, between two calls; call <see cref="Run"/> for it to take
    /// effect.</summary>
    public Connection Client { get; }

    /// <summary>The server's connection. A test may use it, between two calls; call <see cref="Run"/> for it to take
    /// effect.</summary>
    public Connection Server { get; }

    /// <summary>The clock of both. It moves with <see cref="Advance"/> only.</summary>
    public SimulatedClock Clock => _bench.Clock;

    /// <summary>Lets time pass: what is due meanwhile happens at its moment.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The pair is disposed.</exception>
    /// <exception cref="SimulationException">They do not come to an end.</exception>
    public void Advance(TimeSpan time) => _bench.Advance(time);

    /// <summary>Lets them go on: after the test has used a connection, or has completed a task that a handler
    /// awaits.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The pair is disposed.</exception>
    /// <exception cref="SimulationException">They do not come to an end.</exception>
    public void Run() => _bench.Run();

    /// <summary>Stops both reactors: connections that are still open close with
    /// <see cref="CloseKind.ReactorStopped"/>. What a handler throws then is not thrown here. Idempotent.</summary>
    public void Dispose() => _bench.Dispose();
}
