using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>The limits on connections of a group and of its listeners.</summary>
public sealed class GroupLimitTests(SelectorKind selector) : GroupFixture(selector)
{
    [Test]
    public void TheLimit_HoldsForAllReactorsTogether([Values] ClientSharing sharing, [Values] bool isOfListener)
    {
        ReactorGroup group = Stepped(sharing, count: 3, maxConnections: isOfListener ? int.MaxValue : 5);
        var handler = new ScriptedHandler();
        var options = new ListenerOptions { MaxConnections = isOfListener ? 5 : int.MaxValue };
        GroupListener listener = Listen(group, handler, options);
        Connect(listener, 9);

        Run(group, () => handler.Connections.Count == 5);
        RunUntilQuiet(group);
        Assert.That(handler.Connections, Has.Count.EqualTo(5));
        for (int closed = 1; closed <= 4; closed++)
        {
            handler.Connections[closed].Abort();
            Run(group, () => handler.Connections.Count == 5 + closed, $"the place of connection {closed}");
            RunUntilQuiet(group);
            Assert.That(handler.Connections.Count - handler.CloseReasons.Count, Is.EqualTo(5));
        }

        Assert.That((listener.Accepted, listener.Refused, listener.ConnectionCount), Is.EqualTo((9L, 0L, 5)));
    }

    [Test]
    public void WhenFull_ClientsAreRefused([Values] ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing, maxConnections: 3);
        var handler = new ScriptedHandler();
        GroupListener listener = Listen(group, handler, new ListenerOptions { WhenFull = WhenFull.Refuse });
        Connect(listener, 8);

        Run(group, () => listener.Accepted + listener.Refused == 8);

        Assert.That((handler.Connections.Count, listener.Accepted, listener.Refused), Is.EqualTo((3, 3L, 5L)));
        Assert.That(group.Statistics.ToString(), Does.EndWith("3 accepted, 5 refused"));
    }

    [Test]
    public void OutgoingConnections_CountForTheLimit()
    {
        ReactorGroup group = Stepped(ClientSharing.LeastConnections, maxConnections: 2);
        using Socket listening = Peer.Listen();
        var handler = new ScriptedHandler();
        GroupListener listener = Listen(group, handler);
        Connection outgoing = Run(group, group.ConnectAsync(listening.LocalEndPoint!, new ScriptedHandler()));
        Connect(listener, 2);
        Run(group, () => handler.Connections.Count == 1);
        RunUntilQuiet(group);
        Assert.That(handler.Connections, Has.Count.EqualTo(1));

        foreach (Reactor reactor in group.Reactors)
        {
            Task<Connection> refused = reactor.ConnectAsync(listening.LocalEndPoint!, new ScriptedHandler());
            Assert.That(() => Run(group, refused), Throws.InvalidOperationException.With.Message.Contains("MaxConn"));
        }

        outgoing.Abort();
        Run(group, () => handler.Connections.Count == 2);
    }

    [Test]
    public void AListenerOfOneReactor_WaitsForRoomInTheGroup()
    {
        ReactorGroup group = Stepped(ClientSharing.LeastConnections, maxConnections: 1);
        using Socket listening = Peer.Listen();
        Reactor first = group.Reactors[0];
        var handler = new ScriptedHandler();
        Connection elsewhere = Run(
            group, group.Reactors[1].ConnectAsync(listening.LocalEndPoint!, new ScriptedHandler()));
        Listener listener = Run(group, first.ListenAsync(AnyPort, handler));
        Own(Peer.Connect(listener.LocalEndPoint));
        RunUntilQuiet(group);
        Assert.That(handler.IsConnected, Is.False);

        elsewhere.Abort();
        Run(group, () => handler.IsConnected);
    }

    [Test]
    public void ARefusedClient_LeavesItsPlace([Values] ClientSharing sharing)
    {
        ReactorGroup group = Stepped(sharing, maxConnections: 2);
        int made = 0;
        var handler = new ScriptedHandler();
        GroupListener listener = Run(group, group.ListenAsync(
            AnyPort,
            _ => made++ < 6 ? throw new InvalidDataException() : handler,
            new ListenerOptions { MaxConnections = 2 }));
        Connect(listener, 8);

        Run(group, () => listener.Accepted + listener.Refused == 8);
        RunUntilQuiet(group);

        Assert.That((listener.Accepted, listener.Refused, listener.ConnectionCount), Is.EqualTo((2L, 6L, 2)));
    }

    [Test]
    public void ALimitOfEachReactor_IsRefusedWithAdvice() => Assert.That(
        () => new ReactorGroup(2, new ReactorGroupOptions { Reactor = { MaxConnections = 10 } }),
        Throws.ArgumentException.With.Message.Contains("ReactorGroupOptions.MaxConnections"));
}
