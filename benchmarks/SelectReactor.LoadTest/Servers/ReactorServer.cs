using System.IO.Pipelines;
using System.Net;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace SelectReactor.LoadTest.Servers;

internal static class ReactorServer
{
    public static void RunOnSelect(int port, Action<EndPoint> listening) => Run(new ReactorOptions(), port, listening);

    public static void RunTlsOnSelect(int port, Action<EndPoint> listening) =>
        RunTls(new ReactorOptions(), port, listening);

    public static void RunTlsOnEpoll(int port, Action<EndPoint> listening) =>
        RunTls(new ReactorOptions().UseEpoll(), port, listening);

    public static void RunOnEpoll(int port, Action<EndPoint> listening) =>
        Run(new ReactorOptions().UseEpoll(), port, listening);

    /// <summary>As a program that exports its metrics each second.</summary>
    public static void RunMetered(int port, Action<EndPoint> listening)
    {
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter("SelectReactor")
            .AddReader(new PeriodicExportingMetricReader(new NoExport(), exportIntervalMilliseconds: 1000))
            .Build();
        RunOnEpoll(port, listening);
    }

    private static void RunTls(ReactorOptions options, int port, Action<EndPoint> listening)
    {
        using var certificate = CertificateSource.FromCertificate(TlsCertificate.Create());
        Run(options, port, listening, new TlsServerOptions { Certificate = certificate });
    }

    private static void Run(
        ReactorOptions options, int port, Action<EndPoint> listening, TlsServerOptions? tls = null)
    {
        using var reactor = new Reactor(options);
        using Listener listener = reactor.Listen(
            new IPEndPoint(IPAddress.Loopback, port),
            new EchoHandler(),
            new ListenerOptions { Backlog = EchoServers.Backlog, Tls = tls });
        listening(listener.LocalEndPoint);
        reactor.Run();
    }

    private sealed class NoExport : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch) => ExportResult.Success;
    }

    private sealed class EchoHandler : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                connection.Append(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }
}
