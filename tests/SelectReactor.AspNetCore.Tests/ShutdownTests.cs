using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>The end of the server, by the names of Kestrel's own tests.</summary>
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
[TestFixture(TransportKind.Sockets)]
internal sealed class ShutdownTests(TransportKind transport)
{
    private WebServerSettings Settings { get; } = new(transport);

    [Test]
    public async Task GracefulShutdownWaitsForRequestsToFinish()
    {
        var started = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            ShutdownTimeout = TimeSpan.FromSeconds(20),
            Listen = static listen => listen.UseHttps(WebServer.Certificate),
            Serve = async context =>
            {
                started.SetResult();
                await mayEnd.Task.Within();
                await context.Response.WriteAsync("Hello");
            },
        });
        using HttpClient client = server.CreateClient(HttpVersion.Version20);
        Task<string> request = client.GetStringAsync("/");
        await started.Task.Within();

        Task stopping = server.Application.StopAsync();

        await UntilLoggedAsync(server, "Http2ConnectionClosing");
        Assert.That(stopping.IsCompleted, Is.False);
        mayEnd.SetResult();
        Assert.That(await request.Within(), Is.EqualTo("Hello"));
        await stopping.Within();
    }

    [Test]
    public async Task GracefulTurnsAbortiveIfRequestsDoNotFinish()
    {
        var started = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        await using WebServer server = await WebServer.StartAsync(Settings with
        {
            ShutdownTimeout = TimeSpan.FromMilliseconds(300),
            Listen = static listen => listen.UseHttps(WebServer.Certificate),
            Serve = async context =>
            {
                started.SetResult();
                await mayEnd.Task.Within();
            },
        });
        using HttpClient client = server.CreateClient(HttpVersion.Version20);
        Task<string> request = client.GetStringAsync("/");
        await started.Task.Within();

        Task stopping = server.Application.StopAsync();

        Assert.That(async () => await request.Within(), Throws.InstanceOf<HttpRequestException>());
        mayEnd.SetResult();
        await Task.WhenAny(stopping).Within();
        Assert.That(stopping.Exception?.InnerException, Is.Null.Or.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Stopping_closes_idle_connections()
    {
        await using WebServer server = await WebServer.StartAsync(Settings);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Get);
        await client.ReadUntilAsync("0\r\n\r\n");

        await server.Application.StopAsync().Within();

        Assert.That(await client.ReadToEndAsync(), Is.Empty);
        Assert.That(server.Log.AboveDebug, Is.Empty);
    }

    [Test]
    public async Task A_host_can_be_started_after_another_one_has_ended()
    {
        for (int i = 0; i < 3; i++)
        {
            await using WebServer server = await WebServer.StartAsync(Settings);
            using HttpClient client = server.CreateClient();
            Assert.That(await client.GetStringAsync("/").Within(), Is.EqualTo("Hello"));
            await server.Application.StopAsync().Within();
        }
    }

    private static Task UntilLoggedAsync(WebServer server, string name) => Waiting.UntilAsync(
        () => server.Log.Entries.Any(entry => entry.Id.Name == name), $"{name} is not logged.");
}
