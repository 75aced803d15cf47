using System.Net.WebSockets;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace SelectReactor.Web;

/// <summary>SignalR with each of its transports.</summary>
public sealed class SignalRTests(Transport transport) : WebFixture(transport)
{
    private const HttpTransportType All = HttpTransportType.WebSockets | HttpTransportType.ServerSentEvents
        | HttpTransportType.LongPolling;

    private static readonly HttpTransportType[] _kinds =
        [HttpTransportType.WebSockets, HttpTransportType.ServerSentEvents, HttpTransportType.LongPolling];

    [Test]
    public async Task TheBestTransport_IsAgreedOn()
    {
        await using HubConnection hub = await ConnectAsync(All, isSecure: false);

        Assert.That(
            await hub.InvokeAsync<string>("TransportName", Bound), Is.EqualTo(nameof(HttpTransportType.WebSockets)));
    }

    [Test]
    public async Task Invocations_AreAnswered(
        [ValueSource(nameof(_kinds))] HttpTransportType kind, [Values] bool isSecure)
    {
        await using HubConnection hub = await ConnectAsync(kind, isSecure);
        Assert.That(await hub.InvokeAsync<string>("TransportName", Bound), Is.EqualTo($"{kind}"));
        string[] answers = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(i => hub.InvokeAsync<string>("Echo", $"text {i}", Bound)));

        Assert.That(answers, Is.EqualTo(Enumerable.Range(0, 100).Select(i => $"text {i}")).AsCollection);
    }

    [Test]
    public async Task ALargeMessage_ComesBackWhole(
        [ValueSource(nameof(_kinds))] HttpTransportType kind, [Values] bool isSecure)
    {
        await using HubConnection hub = await ConnectAsync(kind, isSecure);
        string sent = Convert.ToHexString(Pattern.Bytes(1_000_000));

        Assert.That(await hub.InvokeAsync<string>("Echo", sent, Bound), Is.EqualTo(sent));
    }

    [Test]
    public async Task ABroadcast_ReachesAll([ValueSource(nameof(_kinds))] HttpTransportType kind)
    {
        const int Count = 20;
        HubConnection[] hubs = await Task.WhenAll(
            Enumerable.Range(0, Count).Select(_ => ConnectAsync(kind, isSecure: false)));
        try
        {
            Task<string>[] heard = [.. hubs.Select(ListenAsync)];
            await hubs[0].InvokeAsync("SendToAll", "to all", Bound);

            Assert.That(await Task.WhenAll(heard), Is.All.EqualTo("to all"));
        }
        finally
        {
            await Task.WhenAll(hubs.Select(hub => hub.DisposeAsync().AsTask()));
        }
    }

    [Test]
    public async Task Streams_GoBothWays([ValueSource(nameof(_kinds))] HttpTransportType kind)
    {
        await using HubConnection hub = await ConnectAsync(kind, isSecure: false);
        List<int> counted = [];
        await foreach (int number in hub.StreamAsync<int>("Count", 1000, Bound))
        {
            counted.Add(number);
        }

        Assert.That(counted, Is.EqualTo(Enumerable.Range(1, 1000)).AsCollection);
        Assert.That(
            await hub.InvokeAsync<long>("Sum", NumbersAsync(100), Bound), Is.EqualTo(100L * 101 / 2));
    }

    [Test]
    public async Task TheServer_AsksBack([ValueSource(nameof(_kinds))] HttpTransportType kind)
    {
        await using HubConnection hub = await ConnectAsync(kind, isSecure: false);
        using IDisposable answering = hub.On<string, string>("Asked", question => question + "!");

        Assert.That(await hub.InvokeAsync<string>("AskBack", "really", Bound), Is.EqualTo("really!"));
    }

    // The server resets all connections: the client finds that out and comes back by itself.
    [Test]
    public async Task AfterAReset_TheClientReconnects()
    {
        await using HubConnection hub = Build(HttpTransportType.WebSockets, isSecure: false);
        var reconnected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        hub.Reconnected += _ =>
        {
            reconnected.TrySetResult();
            return Task.CompletedTask;
        };
        await hub.StartAsync(Bound);
        string? before = hub.ConnectionId;
        Server.Connections.Abort();

        await reconnected.Task.WaitAsync(Bound);
        Assert.That(hub.ConnectionId, Is.Not.EqualTo(before));
        Assert.That(await hub.InvokeAsync<string>("Echo", "again", Bound), Is.EqualTo("again"));
    }

    [Test]
    public async Task ManyClients_ComeAndGo([ValueSource(nameof(_kinds))] HttpTransportType kind) =>
        await Parallel.ForAsync(0, 100, new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (i, _) =>
        {
            await using HubConnection hub = await ConnectAsync(kind, isSecure: false);
            Assert.That(await hub.InvokeAsync<string>("Echo", $"{i}", Bound), Is.EqualTo($"{i}"));
        });

    private static async IAsyncEnumerable<int> NumbersAsync(int count)
    {
        for (int i = 1; i <= count; i++)
        {
            await Task.Yield();
            yield return i;
        }
    }

    private async Task<string> ListenAsync(HubConnection hub)
    {
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using IDisposable listening = hub.On<string>("Said", heard.SetResult);
        return await heard.Task.WaitAsync(Bound);
    }

    private async Task<HubConnection> ConnectAsync(HttpTransportType kinds, bool isSecure)
    {
        HubConnection hub = Build(kinds, isSecure);
        await hub.StartAsync(Bound);
        return hub;
    }

    private HubConnection Build(HttpTransportType kinds, bool isSecure) => new HubConnectionBuilder()
        .WithUrl(new Uri(isSecure ? Server.Https : Server.Http, "/hub"), options =>
        {
            options.Transports = kinds;
            options.HttpMessageHandlerFactory = _ => CreateHandler();
            options.WebSocketConfiguration = Trust;
        })
        .WithAutomaticReconnect()
        .Build();

    private static void Trust(ClientWebSocketOptions options) =>
        options.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            WebServer.Certificate.IsTrusted(certificate);
}
