using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;

namespace SelectReactor.Hosting.Tests;

/// <summary>The sample, as a process.</summary>
public sealed partial class SampleTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    [Test]
    public async Task HostedEcho_EchoesAndEndsInGoodOrder()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory.Replace(
                    Path.Combine("tests", "SelectReactor.Hosting.Tests"),
                    Path.Combine("samples", "HostedEcho"),
                    StringComparison.Ordinal), "HostedEcho.dll"),
                "--SelectReactor:Servers:echo:EndPoint=127.0.0.1:0",
            },
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            using var client = new Client(await ListeningAsync(process.StandardOutput).WaitAsync(_bound));
            Assert.That(client.Ask("over the host"), Is.EqualTo("over the host"));

            using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            Assert.That(client.Receive(), Is.Empty);
            client.Dispose();
            _ = process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(_bound);
            Assert.That(process.ExitCode, Is.Zero);
        }
        finally
        {
            process.Kill();
        }
    }

    private static async Task<EndPoint> ListeningAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            if (EndPointPattern().Match(line) is { Success: true } match)
            {
                return IPEndPoint.Parse(match.Groups[1].Value);
            }
        }

        throw new EndOfStreamException("The sample has ended.");
    }

    [GeneratedRegex(@"The server ""echo"" listens on (\S+)\.$")]
    private static partial Regex EndPointPattern();
}
