using System.Diagnostics;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The spans of connections.</summary>
public sealed class TraceTests : MeterFixture
{
    private readonly List<Activity> _stopped = [];

    private static ListenerOptions Traced => new()
    {
        Connection = new ConnectionOptions { TraceConnections = true },
    };

    [Test]
    public void Connection_IsASpan_WithItsAddressesAndItsEnd()
    {
        using ActivityListener spans = Listen(ActivitySamplingResult.AllDataAndRecorded);
        Listen(Traced);
        Connection peer = Connect();
        Activity? during = ServerHandler.Connection.GetFeature<Activity>();
        OnClient(() => peer.TryWrite(new byte[12]));
        OnServer(() => ServerHandler.Connection.TryWrite(new byte[5]));
        OnClient(() => peer.Abort());

        Activity span = _stopped.Single();
        Assert.That(span, Is.SameAs(during));
        Assert.That(span.Kind, Is.EqualTo(ActivityKind.Server));
        Assert.That(span.ParentId, Is.Null);
        Assert.That(span.Status, Is.EqualTo(ActivityStatusCode.Error));
        var tags = span.TagObjects.ToDictionary();
        Assert.That(tags, Does.ContainKey("server.port").WithValue(Port));
        Assert.That(tags, Does.ContainKey("server.address").WithValue("10.0.0.1"));
        Assert.That(tags, Does.ContainKey("network.peer.address").WithValue("10.0.0.2"));
        Assert.That(tags, Does.ContainKey("network.peer.port"));
        Assert.That(tags, Does.ContainKey("selectreactor.bytes_received").WithValue(12));
        Assert.That(tags, Does.ContainKey("selectreactor.bytes_sent").WithValue(5));
        Assert.That(tags, Does.ContainKey("selectreactor.close_reason").WithValue("peer_reset"));
        Assert.That(tags, Does.ContainKey("error.type").WithValue("connection_reset"));
    }

    [Test]
    public void Span_IsCurrentInNoCallback()
    {
        using ActivityListener spans = Listen(ActivitySamplingResult.AllDataAndRecorded);
        List<Activity?> current = [];
        ServerHandler.Connected = _ => current.Add(Activity.Current);
        ServerHandler.Closed = (_, _) => current.Add(Activity.Current);
        Listen(Traced);
        Connection peer = Connect();
        OnClient(peer.Close);
        OnServer(() => current.Add(Activity.Current));

        Assert.That(_stopped, Has.Count.EqualTo(1));
        Assert.That(current, Is.EqualTo(new Activity?[] { null, null, null }));
    }

    [TestCase(ActivitySamplingResult.None, true, TestName = "NoSpan_IfTheSamplerDoesNotWantIt")]
    [TestCase(ActivitySamplingResult.AllData, false, TestName = "NoSpan_WithoutTheOption")]
    public void NoSpan(ActivitySamplingResult sampled, bool isTraced)
    {
        using ActivityListener spans = Listen(sampled);
        Listen(isTraced ? Traced : new ListenerOptions());
        Connection peer = Connect();
        Assert.That(ServerHandler.Connection.GetFeature<Activity>(), Is.Null);

        OnClient(peer.Close);
        Assert.That(_stopped, Is.Empty);
    }

    private ActivityListener Listen(ActivitySamplingResult sampled)
    {
        _stopped.Clear();
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "SelectReactor",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => sampled,
            ActivityStopped = _stopped.Add,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
