using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Authentication;
using Moq;
using SelectReactor.Diagnostics;
using SelectReactor.Tests.Support;
using SelectReactor.Tests.Timing;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The instruments that show loops, datagrams and TLS handshakes.</summary>
public sealed class LoopMeterTests : MeterFixture
{
    [Test]
    public void Iteration_IsTheTimeThatATickServes()
    {
        OnServer(() => Server.Spend(TimeSpan.FromSeconds(3)));

        Assert.That(
            Meter.Of("selectreactor.loop.iteration.duration"), Has.Exactly(1).EqualTo(3).Within(0.01));
    }

    [Test]
    public void Wait_IsTheTimeInTheSelector()
    {
        var time = new ManualTime(1000);
        var selector = new Mock<ISelector>();
        selector.Setup(static s => s.Select(It.IsAny<TimeSpan>(), It.IsAny<List<SelectorEntry>>()))
            .Callback<TimeSpan, List<SelectorEntry>>((wait, _) => time.Timestamp += (long)wait.TotalMilliseconds);
        using var reactor = new Reactor(new ReactorOptions
        {
            MeterFactory = Meter,
            SelectorFactory = () => selector.Object,
            TimeProvider = time,
        });
        reactor.Schedule(TimeSpan.FromSeconds(5), static () => { });
        reactor.RunOnce(Timeout.InfiniteTimeSpan);

        Assert.That(Meter.Of("selectreactor.selector.wait.duration"), Is.EqualTo(new[] { 5 }));
    }

    [Test]
    public void ReadyKeys_AreThoseOfOneWait()
    {
        Listen();
        Connection one = Connect();
        Connection two = Connect();
        OnClient(() => Server.Stall(TimeSpan.FromSeconds(1)));
        OnClient(() =>
        {
            one.TryWrite([1]);
            two.TryWrite([1]);
        });

        double[] counts = Meter.Of("selectreactor.loop.ready_keys");
        Assert.That(counts, Has.Length.EqualTo(Meter.Of("selectreactor.loop.iteration.duration").Length));
        Assert.That(counts, Has.Exactly(1).EqualTo(2));
    }

    [Test]
    public void Lag_IsTheAgeOfTheTickUnderWay()
    {
        double during = 0;
        OnServer(() =>
        {
            Server.Spend(TimeSpan.FromSeconds(3));
            during = Meter.Value("selectreactor.loop.lag");
        });

        Assert.That(during, Is.EqualTo(3).Within(0.01));
        Assert.That(Meter.Value("selectreactor.loop.lag"), Is.Zero);
    }

    [Test]
    public void Mailbox_AndTimers_ShowWhatWaits()
    {
        Network.RunUntilIdle();
        Server.Reactor.Schedule(TimeSpan.FromHours(1), static () => { });
        Server.Reactor.Post(static () => { });
        Server.Reactor.Post(static () => { });
        Assert.That(Meter.Value("selectreactor.mailbox.depth"), Is.EqualTo(2));
        Assert.That(Meter.Value("selectreactor.timers"), Is.EqualTo(1));

        Network.RunFor(TimeSpan.FromSeconds(1));
        Assert.That(Meter.Value("selectreactor.mailbox.depth"), Is.Zero);
    }

    [Test]
    public void PooledMemory_IsUsedWhileInputWaits_AndIdleAfterwards()
    {
        Listen();
        ServerHandler.Readable = static _ => { };
        Connection peer = Connect();
        OnClient(() => peer.TryWrite(new byte[100]));
        Assert.That(Memory("used"), Is.GreaterThanOrEqualTo(100));

        OnServer(() => ScriptedHandler.ReadAll(ServerHandler.Connection));
        Assert.That(Memory("used"), Is.Zero);
        Assert.That(Memory("idle"), Is.GreaterThanOrEqualTo(100));

        double Memory(string state) =>
            Meter.Value("selectreactor.pooled_memory", ("selectreactor.memory_state", state));
    }

    [Test]
    public void Datagrams_CountWithTheirBytesAndErrors()
    {
        DatagramSocket server = Server.Reactor.BindDatagram(
            Server.EndPoint(Port), new Answerer(), new DatagramOptions { MaxDatagramBytes = 100 });
        DatagramSocket client = Client.Reactor.ConnectDatagram(Server.EndPoint(Port), new Answerer(answers: false));
        OnClient(() =>
        {
            client.TrySend(new byte[70]);
            client.TrySend(new byte[101]);
        });
        OnServer(() => server.TrySend(new byte[70_000], Client.EndPoint(Port).Serialize()));

        Assert.That(
            Meter.Value("selectreactor.datagrams", ("network.io.direction", "receive")), Is.EqualTo(1));
        Assert.That(
            Meter.Value("selectreactor.datagrams", ("network.io.direction", "transmit")), Is.EqualTo(1));
        Assert.That(
            Meter.Value(
                "selectreactor.network.io", ("network.transport", "udp"), ("network.io.direction", "receive")),
            Is.EqualTo(70));
        Assert.That(
            Meter.Value(
                "selectreactor.network.io", ("network.transport", "udp"), ("network.io.direction", "transmit")),
            Is.EqualTo(35));
        Assert.That(Meter.Value("selectreactor.datagram_errors", ("error.type", "too_long")), Is.EqualTo(1));
        Assert.That(Meter.Value("selectreactor.datagram_errors", ("error.type", "send_error")), Is.EqualTo(1));
    }

    [Test]
    public void DatagramToAClosedPort_IsANetworkError()
    {
        DatagramSocket socket = Server.Reactor.ConnectDatagram(Client.EndPoint(Port), new Answerer());
        OnServer(() => socket.TrySend([1]));

        Assert.That(
            Meter.Value("selectreactor.datagram_errors", ("error.type", "network_error")), Is.EqualTo(1));
    }

    [Test]
    public void Handshake_IsRecordedWithItsVersionOrItsError()
    {
        Listen(new ListenerOptions
        {
            Tls = new TlsServerOptions { Certificate = CertificateSource.FromCertificate(Certificates.Server) },
        });
        var tls = new TlsClientOptions
        {
            Configure = static options =>
            {
                Certificates.Trust(options);
                options.EnabledSslProtocols = SslProtocols.Tls13;
            },
        };
        Task<Connection> good = Client.Reactor.ConnectAsync(
            Server.EndPoint(Port), ClientHandler, new ConnectOptions { Tls = tls });
        Network.RunUntil(() => good.IsCompleted);
        Network.RunUntilIdle();
        Connection bad = Connect();
        OnClient(() => bad.TryWrite("GET / HTTP/1.1\r\n\r\n"u8));

        Assert.That(
            Meter.Of(
                "selectreactor.tls.handshake.duration",
                ("selectreactor.role", "server"),
                ("tls.protocol.version", "1.3")),
            Has.Length.EqualTo(1));
        Assert.That(
            Meter.Of("selectreactor.tls.handshake.duration", ("error.type", "authentication")),
            Has.Length.EqualTo(1));
        Assert.That(
            Meter.Of("selectreactor.refused_connections", ("error.type", "authentication")),
            Has.Length.EqualTo(1));
    }

    [Test]
    public void ReactorsMadeAtOnce_ShareTheInstruments()
    {
        using var meter = new MeterReadings();
        var reactors = new Reactor[8];
        Parallel.For(0, reactors.Length, i => reactors[i] = new Reactor(new ReactorOptions { MeterFactory = meter }));

        Assert.That(meter.Value("selectreactor.reactors"), Is.EqualTo(reactors.Length));
        Array.ForEach(reactors, static reactor => reactor.Dispose());
    }

    [Test]
    public void ReactorThatIsCollected_LeavesItsTotals_AndNoOpenConnection()
    {
        var registry = new CountsRegistry();
        var tags = new EndpointTags(ConnectionRole.Client, EndpointTags.Tcp);
        var counts = new ReactorCounts(Instruments.Of(Meter), gauges: null);
        counts.Of(tags).NoteOpened();
        registry.Add(counts);
        registry.Add(new ReactorCounts(Instruments.Of(Meter), gauges: null));

        Assert.That(
            registry.ReadConnections(static all => (all.Sum(each => each.Opened), all.Sum(each => each.Active))),
            Is.EqualTo((1, 0)));
    }

    [Test]
    public void CloseReasons_AreTheNamesOfTheEnumeration() =>
        Assert.That(CloseReasons.All, Is.EqualTo(Enum.GetNames<CloseKind>().Select(SnakeCase.Of)));

    [Test]
    public void WithoutAFactory_TheMeterIsOneForTheProcess()
    {
        List<string> meters = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter is { Name: "SelectReactor", Scope: null })
                {
                    meters.Add(instrument.Name);
                }
            },
        };
        using var one = new Reactor();
        using var two = new Reactor();
        listener.Start();

        Assert.That(meters, Does.Contain("selectreactor.active_connections"));
        Assert.That(meters, Is.Unique);
    }

    [Test]
    public void EveryInstrument_FollowsTheConventions()
    {
        string[] units = ["s", "By"];
        foreach (Instrument instrument in Meter.Instruments)
        {
            Assert.That(instrument.Name, Does.Match(@"^selectreactor(\.[a-z]+(_[a-z]+)*)+$"));
            Assert.That(instrument.Description, Does.EndWith("."));
            Assert.That(units.Contains(instrument.Unit) || instrument.Unit!.StartsWith('{'), instrument.Name);
        }

        Assert.That(Meter.Instruments.Select(static each => each.Name), Is.Unique);
        Assert.That(Meter.Instruments, Has.Count.GreaterThan(20));
    }

    private sealed class Answerer(bool answers = true) : DatagramHandler
    {
        public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram)
        {
            if (answers)
            {
                socket.TrySend(datagram[..(datagram.Length / 2)], remote);
            }
        }
    }
}
