using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace SelectReactor.Web;

/// <summary>Raw HTTPS from OpenSSL and from a TLS client that ends as it likes.</summary>
public sealed class OpenSslTests(Transport transport) : WebFixture(transport)
{
    private string SClient =>
        $"openssl s_client -connect 127.0.0.1:{Server.Https.Port} -servername localhost"
        + $" -CAfile {Server.CertificatePath} -verify_return_error -ign_eof -quiet";

    [TestCase("-tls1_2")]
    [TestCase("-tls1_3")]
    public async Task ARequest_IsAnswered(string version)
    {
        // Kestrel ends with FIN alone, which s_client reports by its exit code.
        ToolResult result = await Tool.RunAsync(
            "printf 'GET /hello HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'"
            + $" | {SClient} {version}");

        Assert.That(result.Output, Does.StartWith("HTTP/1.1 200 OK\r\n"), result.Error);
        Assert.That(result.Output, Does.EndWith("\r\n5\r\nhello\r\n0\r\n\r\n"));
    }

    // Without -ign_eof, s_client sends close_notify when its input ends.
    [TestCase("-tls1_2")]
    [TestCase("-tls1_3")]
    public async Task AClientThatEndsAtOnce_LeavesNothing(string version)
    {
        await Tool.RunAsync($"true | {SClient.Replace(" -ign_eof -quiet", "", StringComparison.Ordinal)} {version}");
        await Tool.RunAsync($"printf 'GET /wait HTTP/1.1\\r\\n' | "
            + $"{SClient.Replace(" -ign_eof -quiet", "", StringComparison.Ordinal)} {version}");
    }

    [Test]
    public async Task AKilledClient_AbortsItsRequest()
    {
        using Process client = Tool.Start($"exec {SClient}");
        await client.StandardInput.WriteAsync("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await client.StandardInput.FlushAsync();
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        client.Kill(entireProcessTree: true);

        await request.Aborted.WaitAsync(Bound);
    }

    [Test]
    public async Task OldTls_IsRefused()
    {
        ToolResult result = await Tool.RunAsync(
            $"true | {SClient} -tls1_1 -cipher DEFAULT@SECLEVEL=0");

        Assert.That(result.ExitCode, Is.Not.Zero);
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task Close_Notify_AbortsThePendingRequest(SslProtocols protocol)
    {
        using TcpClient socket = new();
        await using SslStream stream = await ConnectAsync(socket, protocol);
        await stream.WriteAsync("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), Bound);
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        await stream.ShutdownAsync();
        socket.Client.Shutdown(SocketShutdown.Send);

        await request.Aborted.WaitAsync(Bound);
        Assert.That(await ReadToAnyEndAsync(stream), Is.Empty);
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task AReset_AbortsThePendingRequest(SslProtocols protocol)
    {
        using TcpClient socket = new();
        await using SslStream stream = await ConnectAsync(socket, protocol);
        await stream.WriteAsync("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), Bound);
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        socket.Client.LingerState = new LingerOption(true, 0);
        socket.Close();

        await request.Aborted.WaitAsync(Bound);
    }

    [Test]
    public async Task AFinInTheMiddleOfTheHandshake_LeavesNothing()
    {
        using RawClient client = await RawClient.ConnectAsync(Server.Https, Bound);
        await client.SendAsync("\x16\x03\x01\x02\x00\x01", Bound);
        client.Socket.Shutdown(SocketShutdown.Send);

        await client.ReadToAnyEndAsync(Bound);
    }

    [Test]
    public async Task PlainHttpOnTheTlsPort_IsRefused()
    {
        using RawClient client = await RawClient.ConnectAsync(Server.Https, Bound);
        await client.SendAsync("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", Bound);

        Assert.That(await client.ReadToAnyEndAsync(Bound), Does.Not.Contain("hello"));
    }

    [Test]
    public async Task ManyHandshakesAtOnce_Succeed()
    {
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (_, _) =>
        {
            using TcpClient socket = new();
            await using SslStream stream = await ConnectAsync(socket, SslProtocols.None);
            await stream.WriteAsync(
                "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray(), Bound);
            Assert.That(await ReadToAnyEndAsync(stream), Does.Contain("hello"));
        });
    }

    private async Task<SslStream> ConnectAsync(TcpClient socket, SslProtocols protocol)
    {
        await socket.ConnectAsync("127.0.0.1", Server.Https.Port, Bound);
        var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = protocol,
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    WebServer.Certificate.IsTrusted(certificate),
            },
            Bound);
        return stream;
    }

    private async Task<string> ReadToAnyEndAsync(SslStream stream)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, Bound) is > 0 and int count)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }
        }
        catch (IOException)
        {
            // A reset: whatever came before counts.
        }

        return text.ToString();
    }
}
