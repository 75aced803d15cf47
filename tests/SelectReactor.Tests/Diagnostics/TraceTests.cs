using System.Diagnostics;
using System.Net;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The spans of connections.</summary>
public sealed class TraceTests : MeterFixture
{
    private readonly List<Activity> _stopped = [];

    private static readonly ConnectOptions _traced = new()
    {
        Connection = new ConnectionOptions { TraceConnections = true },
    };

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

    [Test]
    public void AttemptToConnect_IsASpan_OfItsCaller()
    {
        using ActivityListener spans = Listen(ActivitySamplingResult.AllDataAndRecorded);
        Listen();
        using var caller = new Activity("caller");
        caller.Start();
        List<Activity?> current = [];
        ClientHandler.Connected = _ => current.Add(Activity.Current);
        Task<Connection> attempt = Attempt(new DnsEndPoint("server", Port));
        Assert.That(Activity.Current, Is.SameAs(caller));
        caller.Stop();
        Connection connection = Await(attempt);
        Assert.That(current, Is.EqualTo(new Activity?[] { null }));

        Activity span = _stopped.Single();
        Assert.That(span.DisplayName, Is.EqualTo("SelectReactor.Connect"));
        Assert.That(span.Kind, Is.EqualTo(ActivityKind.Client));
        Assert.That(span.ParentId, Is.EqualTo(caller.Id));
        Assert.That(span.Status, Is.EqualTo(ActivityStatusCode.Unset));
        Assert.That(span.TagObjects, Is.EquivalentTo(new Dictionary<string, object?>
        {
            ["network.transport"] = "tcp",
            ["server.address"] = "server",
            ["server.port"] = Port,
            ["network.peer.address"] = "10.0.0.1",
            ["network.peer.port"] = Port,
        }));

        Activity ofConnection = connection.GetFeature<Activity>()!;
        Assert.That(ofConnection.ParentId, Is.Null, "a connection outlives the call that made it");
    }

    [Test]
    public void AttemptOnTheLoop_IsARoot_WithoutAnActivityOfItsCaller()
    {
        using ActivityListener spans = Listen(ActivitySamplingResult.AllDataAndRecorded);
        Listen();
        Activity? after = null;
        OnClient(() =>
        {
            Attempt(Server.EndPoint(Port));
            after = Activity.Current;
        });

        Assert.That(_stopped.Single().ParentId, Is.Null);
        Assert.That(after, Is.Null);
    }

    [TestCase("refused", "connection_refused")]
    [TestCase("unknown", "host_not_found")]
    [TestCase("cancelled", "cancelled")]
    [TestCase("silent", "timeout")]
    [TestCase("factory", "System.FormatException")]
    [TestCase("handler", "System.FormatException")]
    [TestCase("stopped", "cancelled")]
    [TestCase("disposed", "System.ObjectDisposedException")]
    public void AttemptThatFails_EndsItsSpan_WithTheError(string how, string errorType)
    {
        using ActivityListener spans = Listen(ActivitySamplingResult.AllDataAndRecorded);
        if (how is not "refused")
        {
            Listen();
        }

        if (how is "handler")
        {
            ClientHandler.Connected = static _ => throw new FormatException("a handler's mistake");
        }

        if (how is "silent" or "stopped")
        {
            Network.Partition(Client, Server);
        }

        if (how is "disposed")
        {
            Client.Reactor.Dispose();
        }

        EndPoint endPoint = how is "unknown" ? new DnsEndPoint("nowhere", Port) : Server.EndPoint(Port);
        Task<Connection> attempt = Client.Reactor.ConnectAsync(
            endPoint,
            how is "factory" ? static _ => throw new FormatException("a factory's mistake") : _ => ClientHandler,
            _traced,
            new CancellationToken(how is "cancelled"));
        if (how is "stopped")
        {
            Network.RunFor(TimeSpan.FromSeconds(1));
            Client.Reactor.ShutdownAsync(TimeSpan.Zero);
        }

        Network.RunUntil(() => attempt.IsCompleted);
        Assert.That(attempt.IsCompletedSuccessfully, Is.False);
        Activity span = _stopped.Single(static one => one.DisplayName == "SelectReactor.Connect");
        Assert.That(span.Status, Is.EqualTo(ActivityStatusCode.Error));
        Assert.That(span.TagObjects.ToDictionary(), Does.ContainKey("error.type").WithValue(errorType));
    }

    [Test]
    public void AttemptWithoutTheOption_IsNoSpan()
    {
        using ActivityListener spans = Listen(ActivitySamplingResult.AllDataAndRecorded);
        Listen();
        Connect();

        Assert.That(_stopped, Is.Empty);
    }

    private Task<Connection> Attempt(EndPoint endPoint) =>
        Client.Reactor.ConnectAsync(endPoint, ClientHandler, _traced);

    private Connection Await(Task<Connection> attempt)
    {
        Network.RunUntil(() => attempt.IsCompleted);
        return attempt.GetAwaiter().GetResult();
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
