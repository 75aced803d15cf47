using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hostile;

/// <summary>A system that is short of something, or answers with errors: sample servers in child processes.</summary>
public sealed class SystemFaultTests
{
    private static readonly byte[] _message = new byte[1000];

    [Test]
    public void DescriptorsRunOut_TheOpenConnectionsGoOn_AndItRecoversByItself(
        [Values("select", "epoll")] string selector)
    {
        using var server = Server.Start("EchoServer", "ulimit -n 200; exec", $"--port 0 --selector {selector}");
        Assert.That(Client.Echoes(server.Address, _message));
        int before = server.Descriptors;
        List<Client> clients = [];
        for (int i = 0; i < 300; i++)
        {
            clients.Add(new Client(server.Address));
        }

        Client.Await(() => server.Descriptors >= 195, "the limit is reached");
        TimeSpan busy = server.ProcessorTime;
        var watch = Stopwatch.StartNew();
        while (watch.ElapsedMilliseconds < 2000)
        {
            Assert.That(clients[0].Echoes(_message), "who is served goes on being served");
            Thread.Sleep(50);
        }

        Assert.That((server.ProcessorTime - busy).TotalMilliseconds, Is.LessThan(1000), "no spin");
        clients.ForEach(static client => client.Dispose());
        Client.Await(() => Client.Echoes(server.Address, _message), "a new client is served");
        Client.Await(() => server.Descriptors <= before + 1, "all descriptors are free again");
    }

    // Nobody has been served before: no thread of the pool is there, and none can be made.
    [Test]
    public void DescriptorsRunOut_InAFreshProcess_ItWarns_AndRecoversByItself(
        [Values("select", "epoll")] string selector)
    {
        using var server = Server.Start("EchoServer", "ulimit -n 200; exec", $"--port 0 --selector {selector}");
        List<Client> clients = [];
        for (int i = 0; i < 300; i++)
        {
            clients.Add(new Client(server.Address));
        }

        Client.Await(() => server.Descriptors >= 195, "the limit is reached");
        Assert.That(server.ReadErrorLine(), Does.Contain("the system is out of resources"));
        Client.Await(() => clients[0].Echoes(_message), "the open connections go on");
        var retries = Stopwatch.StartNew();
        while (retries.ElapsedMilliseconds < 3000)
        {
            Assert.That(clients[1].Echoes(_message), "the process lives");
            Thread.Sleep(300);
        }

        clients.ForEach(static client => client.Dispose());
        Client.Await(() => Client.Echoes(server.Address, _message), "a new client is served");
    }

    // The process has logged nothing, and nothing has failed in it: what it needs for both must be loaded by now.
    [Test]
    public void DescriptorsRunOut_InTheFirstAcceptOfAProcess_ItWarns_AndRecoversByItself(
        [Values("select", "epoll")] string selector)
    {
        using var server = Server.Start("EchoServer", "exec", $"--port 0 --selector {selector}");
        server.AllowNoMoreDescriptors();
        using (var refused = new Client(server.Address))
        {
            Assert.That(server.ReadErrorLine(), Does.Contain("the system is out of resources"));
        }

        server.LimitDescriptors(1000);
        Client.Await(() => Client.Echoes(server.Address, _message), "a new client is served");
    }

    [Test]
    public void ClientsThatKeepTheirSockets_DoNotKeepOthersOut([Values("select", "epoll")] string selector)
    {
        using var server = Server.Start("KeyValueServer", "ulimit -n 200; exec", $"--port 0 --selector {selector}");
        List<Client> clients = [];
        for (int i = 0; i < 400; i++)
        {
            var client = new Client(server.Address);
            clients.Add(client);
            client.Socket.Send("*1\r\n$4\r\nQUIT\r\n"u8);
            Assert.That(client.Receive(5), Is.EqualTo("+OK\r\n"u8.ToArray()), $"client {i}");
        }

        clients.ForEach(static client => client.Dispose());
        Assert.That(server.EndAndReadErrors(), Does.Not.Contain("out of resources"));
    }

    [TestCase("accept4:error=ECONNABORTED:when=1..20+2")]
    [TestCase("accept4:error=EPROTO:when=1..20+2")]
    [TestCase("accept4:error=ENOMEM:when=1")]
    [TestCase("accept4:error=ENOBUFS:when=1")]
    [TestCase("recvfrom:error=EINTR:when=1+3")]
    [TestCase("sendto:error=EINTR:when=1+3")]
    [TestCase("poll:error=EINTR:when=1+3")]
    [TestCase("sendto:error=EAGAIN:when=1+2")]
    [TestCase("recvfrom:error=EAGAIN:when=1+2")]
    public void ErrorsOfSystemCalls_LoseNobody(string injection)
    {
        using var server = Server.Start(
            "EchoServer", $"exec strace -f -qq -e signal=none -e trace=none -e inject={injection}");
        byte[] bytes = new byte[50_000];
        Random.Shared.NextBytes(bytes);
        for (int i = 0; i < 10; i++)
        {
            Assert.That(Client.Echoes(server.Address, bytes), $"client {i}");
        }
    }

    [Test]
    public void ErrorOfOneClient_IsNoShortageOfTheSystem(
        [Values("EPROTO", "ENONET", "EPERM")] string error, [Values("select", "epoll")] string selector)
    {
        using var server = Server.Start(
            "EchoServer",
            $"exec strace -f -qq -e signal=none -e trace=none -e inject=accept4:error={error}:when=1..20+2",
            $"--port 0 --selector {selector}");
        for (int i = 0; i < 10; i++)
        {
            Assert.That(Client.Echoes(server.Address, _message), $"client {i}");
        }

        Assert.That(server.EndAndReadErrors(), Does.Not.Contain("pauses"));
    }

    [TestCase("epoll_ctl:error=ENOSPC:when=4..12+2")]
    [TestCase("epoll_ctl:error=ENOMEM:when=4..12")]
    public void EpollThatRefuses_LosesSingleClients_AndTheServerGoesOn(string injection)
    {
        using var server = Server.Start(
            "EchoServer",
            $"exec strace -f -qq -e signal=none -e trace=none -e inject={injection}",
            "--port 0 --selector epoll");
        Client.Await(() => Client.Echoes(server.Address, _message), "a client is served");
        Client.Await(
            () => Enumerable.Range(0, 5).All(_ => Client.Echoes(server.Address, _message)),
            "all clients are served again");
    }

    [Test]
    public void SilentNetwork_EndsInATimeOut()
    {
        // A neighbour that is known and drops everything.
        const string Network = "ip link set lo up && ip link add near type veth peer name far && ip link set far "
            + "up && ip link set near up && "
            + "ip addr add 192.0.2.1/24 dev near && ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev near";
        string client = $"dotnet {Server.PathOf("EchoClient")} --host 192.0.2.2 --port 7 --count 1";
        (int exitCode, _, string error) = Server.Run($"unshare -rn bash -c '{Network} && exec {client}'");

        Assert.That(exitCode, Is.EqualTo(1), error);
        Assert.That(error.Trim(), Is.EqualTo("Can't connect to 192.0.2.2:7: no answer within 00:00:15."));
    }

    [Test]
    public void LowMtu_ChangesNothing()
    {
        string server = $"dotnet {Server.PathOf("EchoServer")} --port 7999";
        string client = $"dotnet {Server.PathOf("EchoClient")} --port 7999 --count 20 --size 100000";
        (int exitCode, string output, string error) = Server.Run(
            "unshare -rn bash -c 'ip link set lo up mtu 600 && "
            + $"{{ {server} >/dev/null & }}; for i in {{1..50}}; do (exec 3<>/dev/tcp/127.0.0.1/7999) "
                + $"2>/dev/null && break; sleep 0.1; done; "
            + $"{client}; status=$?; kill %1; exit $status'");

        Assert.That(exitCode, Is.Zero, $"{output}{error}");
    }

    [Test]
    public void StoppedPeer_IsEndedByTheWriteProgressTimeOut()
    {
        var handler = new Flood();
        using var thread = new ReactorThread();
        Listener listener = thread.Reactor.InvokeAsync(() => thread.Reactor.Listen(
            new IPEndPoint(IPAddress.Loopback, 0),
            handler,
            new ListenerOptions
            {
                Connection = new ConnectionOptions { WriteProgressTimeout = TimeSpan.FromSeconds(1) },
            })).Result;
        int port = ((IPEndPoint)listener.LocalEndPoint).Port;
        using Process peer = Server.Shell($"exec cat < /dev/tcp/127.0.0.1/{port} > /dev/null");
        Client.Await(() => handler.Connection?.Statistics.BytesSent > 1_000_000, "the peer reads");
        Assert.That(Server.Run($"kill -STOP {peer.Id}").ExitCode, Is.Zero);

        Task<CloseReason> closed = handler.Connection!.Completion;
        Client.Await(() => closed.IsCompleted, "the connection ends");
        peer.Kill();
        Assert.That(closed.Result.Kind, Is.EqualTo(CloseKind.TimedOut));
        Client.Await(() => listener.ConnectionCount == 0, "nothing is left");
    }

    [Test]
    public void MoreEntriesThanOpenFilesAreAllowed_AreStillWatched()
    {
        const int Sockets = 560;
        string limit = Server.Run("ulimit -Sn; ulimit -Hn").Output.Trim().Replace('\n', ':');
        Assert.That(Server.Run($"prlimit --pid {Environment.ProcessId} --nofile=1024:").ExitCode, Is.Zero);
        try
        {
            using var reactor = new Reactor();
            var seen = new Counter();
            for (int i = 0; i < Sockets; i++)
            {
                // Neither connected nor listening, it is readable and writable, by which it shows that it was asked.
                reactor.Register(
                    new SocketHandle(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)),
                    Interest.Read | Interest.Write,
                    seen);
            }

            reactor.RunOnce(TimeSpan.Zero);
            Assert.That(seen.Keys, Has.Count.EqualTo(Sockets));
            seen.Keys.ToList().ForEach(static key => key.Handle.Close());
        }
        finally
        {
            Server.Run($"prlimit --pid {Environment.ProcessId} --nofile={limit}");
        }
    }

    [Test]
    public void LimitOnOpenFiles_LoweredBelowTheOpenSockets_EndsNoLoop([Values("select", "epoll")] string selector)
    {
        const int Clients = 300;
        using var server = Server.Start("EchoServer", "exec", $"--port 0 --selector {selector}");
        List<Client> clients = [];
        for (int i = 0; i < Clients; i++)
        {
            clients.Add(new Client(server.Address));
            Assert.That(clients[i].Echoes(_message));
        }

        Assert.That(Server.Run($"prlimit --pid {server.Pid} --nofile=128:").ExitCode, Is.Zero);
        foreach (Client client in clients)
        {
            Assert.That(client.Echoes(_message), "who is connected goes on being served");
        }

        Assert.That(Server.Run($"prlimit --pid {server.Pid} --nofile=1024:").ExitCode, Is.Zero);
        Client.Await(() => Client.Echoes(server.Address, _message), "a new client is served");
        clients.ForEach(static client => client.Dispose());
    }

    private sealed class Counter : IEventHandler
    {
        public HashSet<SelectionKey> Keys { get; } = [];

        public void OnReady(SelectionKey key) => Keys.Add(key);
    }

    private sealed class Flood : IConnectionHandler
    {
        private static readonly byte[] _bytes = new byte[16 * 1024];
        private volatile Connection? _connection;

        public Connection? Connection => _connection;

        public void OnConnected(Connection connection)
        {
            _connection = connection;
            OnWritable(connection);
        }

        public void OnReadable(Connection connection)
        {
        }

        public void OnWritable(Connection connection)
        {
            while (connection.IsWritable)
            {
                connection.TryWrite(_bytes);
            }
        }
    }
}
