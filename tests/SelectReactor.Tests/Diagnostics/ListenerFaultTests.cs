using System.Diagnostics;
using System.Diagnostics.Metrics;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>A listener to the meter or to the spans that throws harms neither the loop nor a connection.</summary>
public sealed class ListenerFaultTests : MeterFixture
{
    private int _faults;

    [SetUp]
    public void Reset() => _faults = 0;

    [Test]
    public void MeterListenerThatThrows_HarmsNobody()
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == Meter)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Throw());
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => Throw());
        listener.Start();

        ServeOne(new ListenerOptions());
        Attempt();
    }

    [Test]
    public void SpanListenerThatThrows_HarmsNobody([Values] bool atTheStart)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "SelectReactor",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStarted = atTheStart ? _ => Throw() : null,
            ActivityStopped = atTheStart ? null : _ => Throw(),
        };
        ActivitySource.AddActivityListener(listener);

        var traced = new ConnectionOptions { TraceConnections = true };
        ServeOne(new ListenerOptions { Connection = traced });
        int faults = _faults;
        Task<Connection> refused = Client.Reactor.ConnectAsync(
            Server.EndPoint(Port), ClientHandler, new ConnectOptions { Connection = traced });
        Network.RunUntil(() => refused.IsCompleted);

        Assert.That(refused.Exception?.InnerException, Is.TypeOf<System.Net.Sockets.SocketException>());
        Assert.That(_faults, Is.GreaterThan(faults));
    }

    [Test]
    public void TheFirstFault_IsLogged_ByAReactorThatIsLeft()
    {
        using var meters = new MeterReadings();
        var earlier = new ListLogger();
        var later = new ListLogger();
        new Reactor(new ReactorOptions { MeterFactory = meters, Logger = earlier }).Dispose();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == meters)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Throw());
        listener.Start();
        using var reactor = new Reactor(new ReactorOptions { MeterFactory = meters, Logger = later });

        reactor.RunOnce(TimeSpan.Zero);
        reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_faults, Is.GreaterThan(1));
        Assert.That(earlier.Entries, Is.Empty);
        Assert.That(later.Entries.Select(static entry => entry.Id), Is.EqualTo(new[] { 97 }));
    }

    private void ServeOne(ListenerOptions options)
    {
        Listener listener = Listen(options);
        Connection peer = Connect();
        OnClient(peer.Close);
        Assert.That(ServerHandler.Events, Has.Some.EqualTo("OnConnected"));
        Assert.That(ServerHandler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerClosed));
        Assert.That(ServerHandler.CloseReason.Error, Is.Null);

        listener.Dispose();
        Network.RunUntilIdle();
        Assert.That(Server.OpenDescriptors, Is.Zero);
        Assert.That(_faults, Is.GreaterThan(0));
        Assert.That(Log.Entries.Count(static entry => entry.Id == 97), Is.EqualTo(1), "the first one alone");
    }

    private void Throw()
    {
        _faults++;
        throw new InvalidOperationException("a listener's mistake");
    }
}
