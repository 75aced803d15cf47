namespace SelectReactor.Testing.Tests.Support;

/// <summary>A good network with a server and a client, for each test.</summary>
public abstract class TwoHosts
{
    protected static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    protected SimulatedNetwork Network { get; private set; } = null!;

    protected SimulatedHost Server { get; private set; } = null!;

    protected SimulatedHost Client { get; private set; } = null!;

    [SetUp]
    public void Open()
    {
        Network = new SimulatedNetwork(1, new SimulatedNetworkOptions());
        Server = Network.AddHost("server");
        Client = Network.AddHost("client");
    }

    [TearDown]
    public void Close() => Network.Dispose();
}
