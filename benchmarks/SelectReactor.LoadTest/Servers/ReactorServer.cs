using System.IO.Pipelines;
using System.Net;

namespace SelectReactor.LoadTest.Servers;

internal static class ReactorServer
{
    public static void RunOnSelect(int port, Action<EndPoint> listening) => Run(new ReactorOptions(), port, listening);

    public static void RunOnEpoll(int port, Action<EndPoint> listening) =>
        Run(new ReactorOptions().UseEpoll(), port, listening);

    private static void Run(ReactorOptions options, int port, Action<EndPoint> listening)
    {
        using var reactor = new Reactor(options);
        using Listener listener = reactor.Listen(
            new IPEndPoint(IPAddress.Loopback, port),
            new EchoHandler(),
            new ListenerOptions { Backlog = EchoServers.Backlog });
        listening(listener.LocalEndPoint);
        reactor.Run();
    }

    private sealed class EchoHandler : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                connection.Append(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }
}
