using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

/// <summary>The key-value server as its user starts it.</summary>
public sealed class KeyValueProcessTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    [Test]
    [Platform(Exclude = "Win", Reason = "Windows has no SIGTERM to send.")]
    public async Task Server_ServesAClient_AndEndsWellOnASignal([Values("TERM", "INT")] string signal)
    {
        using Process server = Start("--port", "0");
        string? line = await server.StandardOutput.ReadLineAsync().WaitAsync(_bound);
        Assert.That(line, Does.Match(@"^Listening on 127\.0\.0\.1:\d+$"));
        using (var peer = Peer.Connect(IPEndPoint.Parse(line!["Listening on ".Length..])))
        {
            peer.Send("SET k v\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nQUIT\r\n"u8);
            Assert.That(Encoding.ASCII.GetString(peer.ReceiveToEnd()), Is.EqualTo("+OK\r\n$1\r\nv\r\n+OK\r\n"));
        }

        using (var kill = Process.Start("kill", [$"-{signal}", $"{server.Id}"]))
        {
            await kill.WaitForExitAsync().WaitAsync(_bound);
        }

        Assert.That(await EndOf(server), Is.EqualTo((0, string.Empty)));
    }

    [TestCase("--selector", "kqueue", "There is no selector kqueue: use select or epoll.")]
    [TestCase("--host", "nowhere", "nowhere is not an IP address.")]
    public async Task Server_WithAnOptionItCannotServe_SaysSoInOneLine(string option, string value, string complaint)
    {
        using Process server = Start(option, value, "--port", "0");
        Assert.That(await EndOf(server), Is.EqualTo((1, complaint + Environment.NewLine)));
    }

    [Test]
    public async Task Server_OnAPortThatIsTaken_SaysSoInOneLine()
    {
        using Socket taken = Peer.Listen();
        using Process server = Start("--port", $"{((IPEndPoint)taken.LocalEndPoint!).Port}");
        (int code, string complaint) = await EndOf(server);

        Assert.That(code, Is.EqualTo(1));
        Assert.That(complaint, Does.Match($@"^Can't listen on {taken.LocalEndPoint}: .+\.\r?\n$"));
    }

    private static Process Start(params string[] arguments)
    {
        // The frameworks of the tests: what these contain is not beside the program here.
        string frameworks = Path.Combine(AppContext.BaseDirectory, "SelectReactor.Tests.runtimeconfig.json");
        string program = Path.Combine(AppContext.BaseDirectory, "KeyValueServer.dll");
        string[] command = ["exec", "--runtimeconfig", frameworks, program, .. arguments];
        return Process.Start(new ProcessStartInfo("dotnet", command)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    private static async Task<(int Code, string Complaint)> EndOf(Process server)
    {
        try
        {
            string complaint = await server.StandardError.ReadToEndAsync().WaitAsync(_bound);
            await server.WaitForExitAsync().WaitAsync(_bound);
            return (server.ExitCode, complaint);
        }
        finally
        {
            if (!server.HasExited)
            {
                server.Kill();
            }
        }
    }
}
