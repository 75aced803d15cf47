using System.Net;

namespace SelectReactor.LoadTest.Servers;

/// <summary>A server that sends back what it receives, and neither counts nor logs.</summary>
/// <param name="Name">What it is called on the command line and in results.</param>
/// <param name="Description">What it is, in a few words.</param>
/// <param name="Run">Listens on a port of 127.0.0.1, tells where, and serves until the process ends.</param>
/// <param name="RunDatagrams">The same for UDP. Null if it has none.</param>
/// <param name="RunTls">The same for TLS. Null if it has none.</param>
internal sealed record EchoServer(
    string Name,
    string Description,
    Action<int, Action<EndPoint>> Run,
    Action<int, Action<EndPoint>>? RunDatagrams = null,
    Action<int, Action<EndPoint>>? RunTls = null)
{
    /// <summary>Whether it runs only if it is asked for by its name.</summary>
    public bool IsOnRequest { get; init; }
}

internal static class EchoServers
{
    /// <summary>The same for all of them, so that none is slowed down by a full queue.</summary>
    public const int Backlog = 4096;

    /// <summary>A further server is one more line here.</summary>
    public static IReadOnlyList<EchoServer> All { get; } =
    [
        new(CReference.Name, "C, epoll loop", CReference.Run, CReference.RunDatagrams),
        new(
            "select",
            "SelectReactor, Socket.Select",
            ReactorServer.RunOnSelect,
            DatagramServer.RunOnSelect,
            ReactorServer.RunTlsOnSelect),
        new(
            "epoll",
            "SelectReactor, SelectReactor.Epoll",
            ReactorServer.RunOnEpoll,
            DatagramServer.RunOnEpoll,
            ReactorServer.RunTlsOnEpoll),
        new("kestrel", "Kestrel, ConnectionHandler", KestrelServer.Run, RunTls: KestrelServer.RunTls),
        new("async", "async Socket loops", AsyncServer.Run, DatagramServer.RunAsynchronously),
        new("dotnetty", "DotNetty, one event loop", DotNettyServer.Run),
        new("metered", "SelectReactor.Epoll, with OpenTelemetry listening to its meter", ReactorServer.RunMetered)
        {
            IsOnRequest = true,
        },
        new("naive", "Socket.Select on a fresh List<Socket> each time", NaiveServer.Run),
    ];

    public static EchoServer Find(string name) => All.First(server => server.Name == name);
}
