using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hosting.Tests;

/// <summary>A process whose reactors are those of a server and of Kestrel, seen from outside.</summary>
public sealed class ObservedHostTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private string _output = "";

    [OneTimeSetUp]
    public async Task RunTheHost()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { typeof(ObservedHostTests).Assembly.Location, $"{FreePort()}" },
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            _output = await process.StandardOutput.ReadToEndAsync().WaitAsync(_bound);
            await process.WaitForExitAsync().WaitAsync(_bound);
        }
        finally
        {
            process.Kill();
        }
    }

    [Test]
    public void ThereIsOneMeter_AndItIsTheHosts() => Assert.That(Lines, Does.Contain("meters: 1"));

    [Test]
    public void Prometheus_SeesTheLoopThatHangs_AndAllReactors()
    {
        double[] lag = Values("selectreactor_loop_lag_seconds");
        Assert.That(lag, Has.Length.EqualTo(1));
        Assert.That(lag[0], Is.Positive);
        Assert.That(Values("selectreactor_reactors"), Is.EqualTo(new[] { 2 }));
    }

    [Test]
    public void DumpBySignal_DoesNotStopTheHost()
    {
        Assert.That(Lines, Has.Some.StartsWith("Group of 1 reactor"));
        Assert.That(Lines, Does.Contain("stopping: False"));
    }

    private string[] Lines => _output.Split('\n');

    private double[] Values(string name) =>
    [
        .. Lines.Where(line => line.StartsWith($"{name}{{", StringComparison.Ordinal))
            .Select(static line => double.Parse(
                line[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Split(' ')[1],
                System.Globalization.CultureInfo.InvariantCulture)),
    ];

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
