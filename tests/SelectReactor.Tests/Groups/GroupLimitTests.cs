using System.Net;
using System.Net.Sockets;
using SelectReactor.Dispatch;
using SelectReactor.Groups;
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
    public void WhenFull_ThePauseIsWarnedOfOnce_AndTheDumpTellsTheLimit([Values] ClientSharing sharing)
    {
        var log = new ListLogger();
        ReactorGroupOptions options = GroupOptions(sharing, maxConnections: 3);
        options.Reactor.Logger = log;
        ReactorGroup group = Stepped(options, count: 2);
        GroupListener listener = Listen(group, new ScriptedHandler());
        Connect(listener, 5);
        Run(group, () => listener.Accepted == 3);
        RunUntilQuiet(group);

        Assert.That(
            log.Entries.Single(static entry => entry.Id == 69).Message,
            Does.Contain("pauses: 3 connections of 3, ReactorGroupOptions.MaxConnections."));
        Assert.That(group.Reactors.Select(static reactor => reactor.Dump()), Has.Some.Contains(
            ", not accepting: 3 connections of 3, ReactorGroupOptions.MaxConnections\n"));
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

    // Two reactors look at the same moment, and both see the last place.
    [Test]
    public void APlace_IsTakenBeforeAClientIsAccepted([Values] bool isOfListener)
    {
        ReactorGroup group = Stepped(ClientSharing.LeastConnections, maxConnections: isOfListener ? int.MaxValue : 1);
        var accept = new GroupAccept(
            new GroupMembers([.. group.Reactors.Select(static reactor => new GroupMember(reactor))]),
            new SharedLimit(int.MaxValue, static () => { }),
            inTurn: false,
            static _ => new ScriptedHandler(),
            new ListenerOptions { MaxConnections = isOfListener ? 1 : int.MaxValue });
        accept.Prepare(AnyPort);
        ListenerPart first = accept.Parts[0], second = accept.Parts[1];

        Assert.That((first.IsFull, second.IsFull), Is.EqualTo((false, false)));
        Assert.That((first.TryReserve(), second.TryReserve()), Is.EqualTo((true, false)));
        first.EndAccept();
        group.Reactors[0].RunOnce(TimeSpan.Zero);
        Assert.That((second.TryReserve(), first.TryReserve()), Is.EqualTo((true, false)));
        second.EndAccept();
        group.Reactors[1].RunOnce(TimeSpan.Zero);
    }

    // What fails between accept and an open connection: a handshake, the filter, the handler.
    [Test]
    public void AClientThatFailsBeforeItIsOpen_LeavesItsPlace(
        [Values] ClientSharing sharing, [Values] bool isOfListener, [Values] bool fails)
    {
        ReactorGroup group = Stepped(sharing, maxConnections: isOfListener ? int.MaxValue : 2);
        var options = new ListenerOptions
        {
            MaxConnections = isOfListener ? 2 : int.MaxValue,
            ProxyProtocol = new ProxyProtocolOptions { TrustedNetworks = [IPNetwork.Parse("127.0.0.0/8")] },
        };
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        GroupListener listener = Listen(group, handler, options);
        for (int round = 0; round < 3; round++)
        {
            Peer[] peers = Connect(listener, 2);
            Run(group, () => group.Statistics.Connections == 2);
            foreach (Peer peer in peers)
            {
                if (fails)
                {
                    peer.Send("GET / HTTP/1.1\r\n"u8);
                }
                else
                {
                    peer.Reset();
                }
            }

            Run(group, () => group.Statistics.Connections == 0 && listener.ConnectionCount == 0);
        }

        Peer[] others = Connect(listener, 2);
        Array.ForEach(others, static peer => peer.Send("PROXY UNKNOWN\r\n"u8));
        Exchange(group, others);
    }

    [Test]
    public void AnAttemptThatFails_LeavesItsPlace([Values] bool inHandshake)
    {
        ReactorGroup group = Stepped(ClientSharing.LeastConnections, maxConnections: 1);
        using Socket listening = inHandshake ? Peer.Listen() : Peer.Bound();
        var options = new ConnectOptions
        {
            Tls = inHandshake ? new TlsClientOptions() : null,
        };
        for (int round = 0; round < 2; round++)
        {
            Task<Connection> attempt = group.ConnectAsync(
                listening.LocalEndPoint!, static _ => new ScriptedHandler(), options, CancellationToken.None);
            if (inHandshake)
            {
                Run(group, () => listening.Poll(0, SelectMode.SelectRead));
                using var peer = Peer.Accept(listening);
                Run(group, () => peer.Socket.Available > 0);
                Assert.That(group.Reactors, Has.Some.Property(nameof(Reactor.IsFull)).True);
                peer.Send("This is no TLS."u8);
                Run(group, () => attempt.IsCompleted);
            }

            Assert.That(() => Run(group, attempt), Throws.Exception.Not.TypeOf<InvalidOperationException>());
            RunUntilQuiet(group);
            Assert.That(group.Reactors, Has.None.Property(nameof(Reactor.IsFull)).True);
        }
    }

    [Test]
    public void ALimitOfEachReactor_IsRefusedWithAdvice() => Assert.That(
        () => new ReactorGroup(2, new ReactorGroupOptions { Reactor = { MaxConnections = 10 } }),
        Throws.ArgumentException.With.Message.Contains("ReactorGroupOptions.MaxConnections"));
}
