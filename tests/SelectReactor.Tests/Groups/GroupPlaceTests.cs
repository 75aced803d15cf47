using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Groups;

/// <summary>The places in a limit: whoever has no use for one leaves it to others, at once.</summary>
public sealed class GroupPlaceTests(SelectorKind selector) : GroupFixture(selector)
{
    private static readonly ProxyProtocolOptions _loopback =
        new() { TrustedNetworks = [new IPNetwork(IPAddress.Loopback, 32)] };

    // A callback in the same tick, which may take long.
    [Test]
    public void AReactorThatHasLookedForClients_KeepsNoPlace(
        [Values] ClientSharing sharing, [Values] WhenFull whenFull)
    {
        ReactorGroup group = Stepped(sharing, maxConnections: 2);
        bool? isFree = null;
        var handler = new ScriptedHandler
        {
            Connected = connection => connection.Reactor.Post(() => isFree = HasPlace(Other(group, connection))),
        };
        Connect(Listen(group, handler, new ListenerOptions { WhenFull = whenFull }), 1);

        Run(group, () => isFree is not null);

        Assert.That(isFree, Is.True);
    }

    [Test]
    public void AListenerOfOneReactor_KeepsNoPlace([Values] WhenFull whenFull)
    {
        ReactorGroup group = Stepped(ClientSharing.LeastConnections, maxConnections: 2);
        bool? isFree = null;
        var handler = new ScriptedHandler
        {
            Connected = connection => connection.Reactor.Post(() => isFree = HasPlace(Other(group, connection))),
        };
        Listener listener = Run(
            group, group.Reactors[0].ListenAsync(AnyPort, handler, new ListenerOptions { WhenFull = whenFull }));
        Own(Peer.Connect(listener.LocalEndPoint));

        Run(group, () => isFree is not null);

        Assert.That(isFree, Is.True);
    }

    [Test]
    public void WhileAReactorComputes_AnotherServesTheClientForTheLastPlace(
        [Values(ClientSharing.SharedSocket, ClientSharing.ReusePort)] ClientSharing sharing,
        [Values] WhenFull whenFull,
        [Values] bool isOfListener)
    {
        ReactorGroup group = Stepped(sharing, maxConnections: isOfListener ? int.MaxValue : 2);
        GroupListener listener = null!;
        (int Served, long Refused)? meanwhile = null;
        var handler = new ScriptedHandler();
        handler.Connected = connection =>
        {
            if (handler.Connections.Count == 1)
            {
                connection.Reactor.Post(() => Compute(connection));
            }
        };
        listener = Listen(group, handler, new ListenerOptions
        {
            MaxConnections = isOfListener ? 2 : int.MaxValue,
            WhenFull = whenFull,
        });
        Connect(listener, 1);

        Run(group, () => meanwhile is not null);

        Assert.That(meanwhile, Is.EqualTo((2, 0L)));

        // With SO_REUSEPORT a hash of the addresses decides which reactor has a client in its queue.
        void Compute(Connection connection)
        {
            for (int i = 0; i < 30 && handler.Connections.Count == 1 && listener.Refused == 0; i++)
            {
                Connect(listener, 1);
                Other(group, connection).RunOnce(TimeSpan.FromMilliseconds(10));
                Other(group, connection).RunOnce(TimeSpan.Zero);
            }

            meanwhile = (handler.Connections.Count, listener.Refused);
        }
    }

    [Test]
    public void AnOpeningThatFails_LeavesItsPlaceAtOnce()
    {
        ReactorGroup group = Stepped(ClientSharing.LeastConnections, maxConnections: 1);
        Listener listener = Run(group, group.Reactors[0].ListenAsync(
            AnyPort, new ScriptedHandler(), new ListenerOptions { ProxyProtocol = _loopback }));
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint));
        Run(group, () => group.Statistics.Connections == 1);
        Assert.That(HasPlace(group.Reactors[1]), Is.False);

        peer.Send("no header of a proxy\r\n"u8);
        bool? isFree = null;
        Look();
        Run(group, () => isFree is not null);

        Assert.That(isFree, Is.True);

        // The same tick that finds the header wrong calls this last.
        void Look() => group.Reactors[0].Post(() =>
        {
            if (listener.Refused == 0)
            {
                Look();
            }
            else
            {
                isFree = HasPlace(group.Reactors[1]);
            }
        });
    }

    [Test]
    public void AClientThatIsRefusedWhereItWasGiven_LeavesItsPlaceAtOnce()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin, maxConnections: 1);
        var options = new ListenerOptions { AcceptFilter = new Filter(static () => false) };
        GroupListener listener = Listen(group, new ScriptedHandler(), options);
        Connect(listener, 2);
        RunUntil(group.Reactors[0], () => group.Statistics.ConnectionsOfReactors[1] == 1);

        bool? isFree = null;
        group.Reactors[1].Post(() => isFree = HasPlace(group.Reactors[0]));
        group.Reactors[1].RunOnce(TimeSpan.Zero);

        Assert.That((isFree, listener.Refused), Is.EqualTo(((bool?)true, 1L)).Or.EqualTo(((bool?)true, 2L)));
    }

    [Test]
    public void AReactorThatEndsInAHandshake_LeavesItsPlace()
    {
        ReactorGroup group = Stepped(ClientSharing.RoundRobin, maxConnections: 2);
        Connect(Listen(group, new ScriptedHandler(), new ListenerOptions { ProxyProtocol = _loopback }), 2);
        Run(group, () => group.Statistics.ConnectionsOfReactors.SequenceEqual([1, 1]));
        RunUntilQuiet(group);
        Assert.That(HasPlace(group.Reactors[0]), Is.False);

        group.Reactors[1].Dispose();

        Assert.That(HasPlace(group.Reactors[0]), Is.True);
    }

    [Test]
    public void AFilterThatAdoptsASocket_TakesTheLastPlace([Values] bool fails)
    {
        ReactorGroup group = Stepped(ClientSharing.LeastConnections, maxConnections: 1);
        using Socket listening = Peer.Listen();
        using var ours = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (!fails)
        {
            ours.Connect(listening.LocalEndPoint!);
        }

        var filter = new Filter(() =>
        {
            void Adopt() => group.Reactors[0].Adopt(ours, new ScriptedHandler(), new ConnectionOptions());
            if (fails)
            {
                // The failure gives a place back, which another reactor takes.
                Assert.That(Adopt, Throws.ArgumentException);
                Assert.That(group.Reactors[1].TryReservePlace());
            }
            else
            {
                Adopt();
            }

            return true;
        });
        Listener listener = Run(group, group.Reactors[0].ListenAsync(
            AnyPort, new ScriptedHandler(), new ListenerOptions { AcceptFilter = filter }));
        Own(Peer.Connect(listener.LocalEndPoint));

        RunUntil(group.Reactors[0], () => listener.Accepted + listener.Refused == 1);

        Assert.That((listener.Accepted, listener.Refused), Is.EqualTo((0L, 1L)));
        Assert.That(group.Statistics.Connections, Is.EqualTo(fails ? 0 : 1));
    }

    private static Reactor Other(ReactorGroup group, Connection connection) =>
        group.Reactors.First(reactor => reactor != connection.Reactor);

    private static bool HasPlace(Reactor reactor)
    {
        bool has = reactor.TryReservePlace();
        reactor.GiveBackPlaces();
        return has;
    }

    private sealed class Filter(Func<bool> allows) : IAcceptFilter
    {
        public bool Allows(EndPoint? remoteEndPoint) => allows();
    }
}
