using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using SelectReactor;

// The test host loads this assembly as a library. Run as a program, it is a host with a server and with Kestrel, both
// on reactors, whose server's loop hangs. It writes what Prometheus gets, how many meters there are, and the dump that
// a signal asks for.
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://127.0.0.1:0").UseSelectReactor(options => options.ReactorCount = 1);
builder.Services.AddSelectReactor(options =>
{
    options.ReactorCount = 1;
    options.DrainTimeout = TimeSpan.Zero;
}).AddServer<Quiet>("quiet", new IPEndPoint(IPAddress.Loopback, 0));
await using WebApplication app = builder.Build();
int port = int.Parse(args[0], CultureInfo.InvariantCulture);
using MeterProvider provider = Sdk.CreateMeterProviderBuilder()
    .AddMeter("SelectReactor")
    .AddPrometheusHttpListener(options => options.Port = port)
    .Build();
await app.StartAsync();

HostedReactor hosted = app.Services.GetRequiredService<HostedReactor>();
ReactorGroup kestrel = app.Services.GetRequiredService<SelectReactorTransport>().Reactors;
using var hangs = new ManualResetEventSlim();
using var released = new ManualResetEventSlim();
hosted.Group.Reactors[0].Post(() =>
{
    hangs.Set();
#pragma warning disable SR0002 // The callback blocks on purpose.
    released.Wait();
#pragma warning restore SR0002
});
hangs.Wait();
await Task.Delay(20);
using var http = new HttpClient();
Console.WriteLine(await http.GetStringAsync($"http://localhost:{port}/metrics"));
released.Set();

HashSet<Meter> meters = [];
using var listener = new MeterListener();
listener.InstrumentPublished = (instrument, _) =>
{
    if (instrument.Meter.Name == "SelectReactor")
    {
        meters.Add(instrument.Meter);
    }
};
listener.Start();
Console.WriteLine($"meters: {meters.Count}");

var dumped = new TaskCompletionSource();
const int SigUsr1 = 10;
using var signal = PosixSignalRegistration.Create((PosixSignal)SigUsr1, context =>
{
    context.Cancel = true;
    Console.WriteLine(kestrel.Dump());
    dumped.SetResult();
});
using var kill = Process.Start("kill", ["-USR1", $"{Environment.ProcessId}"]);
await dumped.Task;
Console.WriteLine($"stopping: {app.Lifetime.ApplicationStopping.IsCancellationRequested}");
await app.StopAsync();

internal sealed class Quiet : ConnectionHandler
{
    public override void OnReadable(Connection connection)
    {
    }
}
