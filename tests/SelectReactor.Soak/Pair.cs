using SelectReactor.Testing;

namespace SelectReactor.Soak;

/// <summary>A server, a client, and one open connection between them.</summary>
internal sealed class Pair
{
    private const int Port = 7;

    public Pair(
        SimulatedNetwork network,
        Recorder served,
        Recorder calling,
        ConnectionOptions? serving = null,
        ConnectionOptions? connecting = null)
    {
        Server = network.AddHost("server");
        Client = network.AddHost("client");
        Listener = Server.Reactor.Listen(
            Server.EndPoint(Port), served, new ListenerOptions { Connection = serving ?? new ConnectionOptions() });
        Client.Reactor.ConnectAsync(
            Server.EndPoint(Port), calling, new ConnectOptions { Connection = connecting ?? new ConnectionOptions() });
        network.RunUntil(() => served.Connections == 1 && calling.Connections == 1);
    }

    public SimulatedHost Server { get; }

    public SimulatedHost Client { get; }

    public Listener Listener { get; }
}
