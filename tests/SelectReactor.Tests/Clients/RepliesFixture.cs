using SelectReactor.Testing;

namespace SelectReactor.Tests.Clients;

/// <summary>A server with <see cref="Replies"/>, and a client's host, on a simulated network in which nothing else
/// happens.</summary>
public abstract class RepliesFixture
{
    protected SimulatedNetwork Network { get; private set; } = null!;

    protected SimulatedHost Server { get; private set; } = null!;

    protected SimulatedHost Client { get; private set; } = null!;

    protected Reactor Reactor => Client.Reactor;

    internal Replies Replies { get; private set; } = null!;

    [SetUp]
    public void Open()
    {
        Network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        Server = Network.AddHost("server");
        Client = Network.AddHost("client");
        Replies = new Replies();
        Server.Reactor.Listen(Server.EndPoint(7), Replies);
    }

    [TearDown]
    public void Close() => Network.Dispose();
}
