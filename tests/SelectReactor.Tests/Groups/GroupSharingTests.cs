using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>How the reactors of a group share clients.</summary>
public sealed class GroupSharingTests(SelectorKind selector) : GroupFixture(selector)
{
    [TestCase(ClientSharing.LeastConnections)]
    [TestCase(ClientSharing.RoundRobin)]
    public void HandedOverClients_AreSharedEqually(ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing, count: 3);
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        Peer[] peers = Connect(Listen(group, handler), 30);

        Exchange(group, peers);

        Assert.That(group.Statistics.ConnectionsOfReactors, Is.EqualTo(new[] { 10, 10, 10 }));
        Assert.That(Counts(group, handler.Connections), Is.EqualTo(new[] { 10, 10, 10 }));
    }

    // 40 clients wait when the first reactor looks. Without handing any over it would have all of a shared socket.
    [TestCase(ClientSharing.SharedSocket)]
    [TestCase(ClientSharing.ReusePort)]
    public void AReactorThatIsAhead_GivesClientsToTheOthers(ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing);
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        Peer[] peers = Connect(Listen(group, handler), 40);

        Exchange(group, peers);

        IReadOnlyList<int> counts = group.Statistics.ConnectionsOfReactors;
        Assert.That(counts.Sum(), Is.EqualTo(40));
        Assert.That(counts.Max() - counts.Min(), Is.LessThanOrEqualTo(10), $"{group.Statistics}");
        Assert.That(Counts(group, handler.Connections), Is.EqualTo(counts));
    }

    [Test]
    public void LeastConnections_FillsUpTheReactorThatLostSome()
    {
        ReactorGroup group = Stepped(ClientSharing.LeastConnections);
        var handler = new ScriptedHandler();
        GroupListener listener = Listen(group, handler);
        Connect(listener, 8);
        Run(group, () => handler.Connections.Count == 8);
        Reactor second = group.Reactors[1];
        foreach (Connection connection in handler.Connections.Where(each => each.Reactor == second).ToArray())
        {
            connection.Abort();
        }

        Run(group, () => handler.CloseReasons.Count == 4);
        Connect(listener, 3);
        Run(group, () => handler.Connections.Count == 11);

        Assert.That(group.Statistics.ConnectionsOfReactors, Is.EqualTo(new[] { 4, 3 }));
    }

    [Test]
    public void ListenersOfAGroup_HaveTheirAcceptorOnReactorsInTurn()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin, count: 3);
        var handler = new ScriptedHandler();
        GroupListener[] listeners = [.. Enumerable.Range(0, 3).Select(_ => Listen(group, handler))];
        foreach (GroupListener listener in listeners)
        {
            Connect(listener, 1);
        }

        // One alone accepts one client of the three.
        RunUntil(group.Reactors[1], () => group.Statistics.Connections == 1);
        group.Reactors[1].RunOnce(TimeSpan.Zero);
        Assert.That(group.Statistics.Connections, Is.EqualTo(1));
        Run(group, () => handler.Connections.Count == 3);
    }

    [Test]
    public void Automatic_SharesTheSocketWhereItCan()
    {
        ReactorGroup group = Stepped(ClientSharing.Automatic);
        var handler = new ScriptedHandler();
        Connect(Listen(group, handler), 1);

        bool canShare = Options().HandleFactory.GetType().Name == "EpollHandleFactory";
        if (canShare)
        {
            RunUntil(group.Reactors[1], () => handler.IsConnected, "the second reactor accepts");
        }
        else
        {
            Run(group, () => handler.IsConnected);
        }

        Assert.That(handler.Connection.Reactor, Is.EqualTo(group.Reactors[1]));
    }

    [Test]
    public void SharedSocket_WithHandlesThatCannotBeShared_IsRefusedWithAdvice()
    {
        using var group = new ReactorGroup(
            2,
            new ReactorGroupOptions { Sharing = ClientSharing.SharedSocket, StartThreads = false });
        Task<GroupListener> listening = group.ListenAsync(AnyPort, new ScriptedHandler());

        Assert.That(() => Run(group, listening), Throws.TypeOf<NotSupportedException>()
            .With.Message.Contains("UseEpoll()"));
        Assert.That(group.Reactors[0].ShutdownAsync(TimeSpan.Zero).IsFaulted, Is.False);
    }

    [Test]
    public void ReusePort_RefusesAPortThatAnotherHas([Values] bool otherReusesPort)
    {
        ReactorGroup group = Stepped(ClientSharing.ReusePort);
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (otherReusesPort)
        {
            other.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        }

        other.Bind(AnyPort);
        other.Listen();

        Assert.That(
            () => Listen(group, new ScriptedHandler(), endPoint: other.LocalEndPoint),
            Throws.TypeOf<SocketException>().With.Message.Contains("choose another port"));
    }

    [TestCase(ClientSharing.SharedSocket)]
    [TestCase(ClientSharing.ReusePort)]
    public void UnixSockets_AreSharedToo(ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing);
        string path = Path.Combine(Path.GetTempPath(), $"group-{Guid.NewGuid():N}");
        GroupListener listener = Listen(
            group,
            new ScriptedHandler { Readable = ScriptedHandler.Echo },
            endPoint: new UnixDomainSocketEndPoint(path));
        Peer[] peers = Connect(listener, 20);

        Exchange(group, peers);

        Assert.That(group.Statistics.ConnectionsOfReactors, Has.All.GreaterThan(3));
        Run(group, listener.StopAcceptingAsync());
        Assert.That(File.Exists(path), Is.False);
    }

    [Test]
    public void AnInheritedSocket_IsShared([Values] ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing);
        Socket socket = Peer.Listen();
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        GroupListener listener = Run(group, group.ListenAsync(socket, _ => handler, new ListenerOptions()));

        Exchange(group, Connect(listener, 20));

        Assert.That(group.Statistics.ConnectionsOfReactors, Has.All.GreaterThan(3));
    }

    [Test]
    public void ConnectAsync_UsesTheReactorWithTheFewestConnections()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin);
        using Socket listening = Peer.Listen();
        for (int i = 0; i < 6; i++)
        {
            Run(group, group.ConnectAsync(listening.LocalEndPoint!, new ScriptedHandler()));
        }

        Assert.That(group.Statistics.ConnectionsOfReactors, Is.EqualTo(new[] { 3, 3 }));
    }

    [Test]
    public void PausedListener_AcceptsNobody([Values] ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing);
        var handler = new ScriptedHandler();
        GroupListener listener = Listen(group, handler);
        listener.Pause();
        Assert.That(listener.IsPaused);
        RunUntilQuiet(group);
        Connect(listener, 6);

        RunUntilQuiet(group);
        Assert.That(handler.Connections, Is.Empty);
        listener.Resume();
        Assert.That(listener.IsPaused, Is.False);
        Run(group, () => handler.Connections.Count == 6);
    }

    private static int[] Counts(ReactorGroup group, IEnumerable<Connection> connections) =>
        [.. group.Reactors.Select(reactor => connections.Count(connection => connection.Reactor == reactor))];
}
