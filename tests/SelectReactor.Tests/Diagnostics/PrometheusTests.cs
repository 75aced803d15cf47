using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>What Prometheus gets from the exporter of OpenTelemetry.</summary>
public sealed class PrometheusTests
{
    [Test]
    public async Task Scrape_ShowsTheConnectionsOfARunningServer()
    {
        int port = FreePort();
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter("SelectReactor")
            .AddPrometheusHttpListener(options => options.Port = port)
            .Build();
        await using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var thread = new ReactorThread(new ReactorOptions
        {
            MeterFactory = services.GetRequiredService<IMeterFactory>(),
        });
        var opened = new TaskCompletionSource();
        Listener listener = await thread.Reactor.ListenAsync(
            new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0),
            new ScriptedHandler { Connected = _ => opened.SetResult() });
        int served = ((System.Net.IPEndPoint)listener.LocalEndPoint).Port;
        using var peer = Peer.Connect(listener.LocalEndPoint);
        await opened.Task;

        using var http = new HttpClient();
        string text = await http.GetStringAsync($"http://localhost:{port}/metrics");
        string[] lines = [.. text.Split('\n').Where(line => line.Contains($"server_port=\"{served}\""))];

        Assert.That(
            lines,
            Has.Some.Match(
                "^selectreactor_active_connections\\{.*network_transport=\"tcp\"," +
                "selectreactor_role=\"server\".*\\} 1$"));
        Assert.That(lines, Has.Some.Match("^selectreactor_opened_connections_total\\{.*\\} 1$"));
        Assert.That(
            lines, Has.Some.Match("^selectreactor_network_io_bytes_total\\{.*network_io_direction=\"receive\""));
        Assert.That(text, Does.Contain("# TYPE selectreactor_loop_lag_seconds gauge"));
        Assert.That(text, Does.Match("selectreactor_loop_iteration_duration_seconds_bucket\\{.*le=\"0.003\""));
        Assert.That(text, Does.Contain("selectreactor_mailbox_depth"));
    }

    private static int FreePort()
    {
        using Socket probe = Peer.Listen();
        return ((System.Net.IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
