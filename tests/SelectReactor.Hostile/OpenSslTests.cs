using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;

namespace SelectReactor.Hostile;

/// <summary><see cref="SslStream"/> over <see cref="Connection.AsStream"/> against the programs of OpenSSL.</summary>
[TestFixture("select", SslProtocols.Tls12)]
[TestFixture("select", SslProtocols.Tls13)]
[TestFixture("epoll", SslProtocols.Tls12)]
[TestFixture("epoll", SslProtocols.Tls13)]
public sealed class OpenSslTests(string selector, SslProtocols protocol)
    : OpenSslFixture(selector, protocol)
{
    [Test]
    public void Server_SendsBackWhatSClientSends()
    {
        byte[] bytes = new byte[4_000_000];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(PathOf("sent"), bytes);
        IPEndPoint address = Serve(async ssl =>
        {
            byte[] received = new byte[bytes.Length];
            await ssl.ReadExactlyAsync(received).ConfigureAwait(false);
            Assert.That(received.AsSpan().SequenceEqual(bytes), "what the server received");
            await ssl.WriteAsync(received).ConfigureAwait(false);
        });
        (int exitCode, _, string error) = Server.Run(
            $"{SClient(address)} -quiet < {PathOf("sent")} > {PathOf("received")}");

        Assert.That(exitCode, Is.Zero, error);
        Assert.That(File.ReadAllBytes(PathOf("received")).AsSpan().SequenceEqual(bytes), "what the client received");
    }

    // A key update, which TLS 1.3 knows, makes the two sides answer each other below the data.
    [Test]
    public void Server_TalksToSClient_InLines_AcrossKeyUpdates()
    {
        IPEndPoint address = Serve(static ssl => ssl.CopyToAsync(ssl));
        using Process client = Server.Shell($"exec {SClient(address)} 2>&1");
        WriteLine(client, "before");
        ReadUntil(client, "before");
        foreach (string line in (string[])["one", "two", "three"])
        {
            if (Protocol == SslProtocols.Tls13)
            {
                WriteLine(client, "K");
                ReadUntil(client, "KEYUPDATE");
            }

            WriteLine(client, line);
            ReadUntil(client, line);
        }

        client.StandardInput.Close();
        Assert.That(client.WaitForExit(Bound));
    }

    [Test]
    public void Client_TalksToSServer_InLines()
    {
        using Process server = StartSServer("-rev");
        IPEndPoint address = ReadAddress(server);
        Task<string> rest = server.StandardOutput.ReadToEndAsync();
        Connect(address, async ssl =>
        {
            using var reader = new StreamReader(ssl, Encoding.ASCII, leaveOpen: true);
            await using var writer = new StreamWriter(ssl, Encoding.ASCII, leaveOpen: true);
            for (int i = 0; i < 500; i++)
            {
                string line = string.Concat(Enumerable.Repeat($"line {i}.", 100));
                await writer.WriteAsync($"{line}\n").ConfigureAwait(false);
                await writer.FlushAsync().ConfigureAwait(false);
                string? answer = await reader.ReadLineAsync().ConfigureAwait(false);
                Assert.That(answer, Is.EqualTo(string.Concat(line.Reverse())));
            }
        });
        Assert.That(server.WaitForExit(Bound), rest.IsCompleted ? rest.Result : "s_server does not end");
    }

    [Test]
    public void Client_FetchesALargeFileFromSServer()
    {
        byte[] bytes = new byte[8_000_000];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(PathOf("file"), bytes);
        using Process server = StartSServer("-WWW");
        IPEndPoint address = ReadAddress(server);
        Task<string> rest = server.StandardOutput.ReadToEndAsync();
        Connect(address, async ssl =>
        {
            await ssl.WriteAsync("GET /file HTTP/1.0\r\n\r\n"u8.ToArray()).ConfigureAwait(false);
            using var all = new MemoryStream();
            await ssl.CopyToAsync(all).ConfigureAwait(false);
            byte[] answer = all.ToArray();
            Assert.That(answer.AsSpan().EndsWith(bytes), $"{answer.Length} bytes");
        });
        Assert.That(server.WaitForExit(Bound), rest.IsCompleted ? rest.Result : "s_server does not end");
    }

    /// <summary>Listens, and serves one client by TLS.</summary>
    private IPEndPoint Serve(Func<SslStream, Task> serve)
    {
        Listener listener = OnLoop(() => Thread.Reactor.Listen(
            new IPEndPoint(IPAddress.Loopback, 0),
            new Serving(async connection =>
            {
                var ssl = new SslStream(connection.AsStream());
                await ssl.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = Certificate,
                    EnabledSslProtocols = Protocol,
                }).ConfigureAwait(false);
                await serve(ssl).ConfigureAwait(false);
                Assert.That(connection.Reactor.IsReactorThread, "the server left the reactor's thread");
                await ssl.ShutdownAsync().ConfigureAwait(false);
            })));
        return (IPEndPoint)listener.LocalEndPoint;
    }

    /// <summary>Connects to a server and talks TLS to it, to the end.</summary>
    private void Connect(IPEndPoint address, Func<SslStream, Task> talk)
    {
        var talking = new Serving(async connection =>
        {
            var ssl = new SslStream(connection.AsStream());
            await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = Host,
                EnabledSslProtocols = Protocol,
                RemoteCertificateValidationCallback = (_, given, _, _) =>
                    (given as X509Certificate2)?.Thumbprint == Certificate.Thumbprint,
            }).ConfigureAwait(false);
            await talk(ssl).ConfigureAwait(false);
            Assert.That(connection.Reactor.IsReactorThread, "the client left the reactor's thread");
            await ssl.ShutdownAsync().ConfigureAwait(false);
        });
        Thread.Reactor.ConnectAsync(address, talking);
        Assert.That(async () => await talking.Completion.WaitAsync(Bound), Throws.Nothing);
    }

    private T OnLoop<T>(Func<T> function) =>
        Thread.Reactor.InvokeAsync(function).WaitAsync(Bound).GetAwaiter().GetResult();

    private sealed class Serving(Func<Connection, Task> serve) : AsyncConnectionHandler
    {
        private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The outcome of the one connection.</summary>
        public Task Completion => _completion.Task;

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            try
            {
                await serve(connection).ConfigureAwait(false);
                _completion.SetResult();
            }
            catch (Exception exception)
            {
                _completion.SetException(exception);
                throw;
            }
        }
    }
}
