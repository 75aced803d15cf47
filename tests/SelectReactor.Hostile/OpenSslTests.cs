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
public sealed partial class OpenSslTests(string selector, SslProtocols protocol)
{
    private const string Host = "reactor.test";
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private ReactorThread _thread = null!;
    private X509Certificate2 _certificate = null!;
    private string _folder = null!;

    private string Version => protocol == SslProtocols.Tls12 ? "-tls1_2" : "-tls1_3";

    private string PathOf(string file) => Path.Combine(_folder, file);

    [OneTimeSetUp]
    public void FindOpenSsl()
    {
        (int exitCode, string output, string error) = Server.Run("openssl version");
        Assert.That(exitCode, Is.Zero, $"These tests need the program openssl. {output}{error}");
    }

    [SetUp]
    public void Start()
    {
        _folder = Directory.CreateTempSubdirectory("reactor-tls-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256);
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(PathOf("certificate.pem"), _certificate.ExportCertificatePem());
        File.WriteAllText(PathOf("key.pem"), key.ExportPkcs8PrivateKeyPem());
        _thread = new ReactorThread(selector == "epoll"
            ? new ReactorOptions().UseEpoll()
            : new ReactorOptions());
    }

    [TearDown]
    public void Stop()
    {
        _thread.Dispose();
        Assert.That(_thread.Reactor.Buffers.Outstanding, Is.Zero, "segments not given back");
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

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
            if (protocol == SslProtocols.Tls13)
            {
                WriteLine(client, "K");
                ReadUntil(client, "KEYUPDATE");
            }

            WriteLine(client, line);
            ReadUntil(client, line);
        }

        client.StandardInput.Close();
        Assert.That(client.WaitForExit(_bound));
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
        Assert.That(server.WaitForExit(_bound), rest.IsCompleted ? rest.Result : "s_server does not end");
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
        Assert.That(server.WaitForExit(_bound), rest.IsCompleted ? rest.Result : "s_server does not end");
    }

    private static void WriteLine(Process client, string line)
    {
        client.StandardInput.Write($"{line}\n");
        client.StandardInput.Flush();
    }

    private static string ReadUntil(Process process, string text)
    {
        while (true)
        {
            Task<string?> reading = process.StandardOutput.ReadLineAsync();
            Assert.That(reading.Wait(_bound), $"no {text}");
            if (reading.Result is not { } line)
            {
                throw new EndOfStreamException($"The program ended without {text}.");
            }

            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }
    }

    private static IPEndPoint ReadAddress(Process server)
    {
        string port = Port().Match(ReadUntil(server, "ACCEPT")).Value;
        return new IPEndPoint(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture));
    }

    private string SClient(IPEndPoint address) =>
        $"openssl s_client -connect {address} -servername {Host} {Version}"
        + $" -CAfile {PathOf("certificate.pem")} -verify_return_error";

    private Process StartSServer(string mode) => Server.Shell(
        $"cd {_folder} && exec openssl s_server -accept 127.0.0.1:0 -naccept 1 {Version} {mode}"
        + " -cert certificate.pem -key key.pem 2>&1");

    /// <summary>Listens, and serves one client by TLS.</summary>
    private IPEndPoint Serve(Func<SslStream, Task> serve)
    {
        Listener listener = OnLoop(() => _thread.Reactor.Listen(
            new IPEndPoint(IPAddress.Loopback, 0),
            new Serving(async connection =>
            {
                var ssl = new SslStream(connection.AsStream());
                await ssl.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = _certificate,
                    EnabledSslProtocols = protocol,
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
                EnabledSslProtocols = protocol,
                RemoteCertificateValidationCallback = (_, given, _, _) =>
                    (given as X509Certificate2)?.Thumbprint == _certificate.Thumbprint,
            }).ConfigureAwait(false);
            await talk(ssl).ConfigureAwait(false);
            Assert.That(connection.Reactor.IsReactorThread, "the client left the reactor's thread");
            await ssl.ShutdownAsync().ConfigureAwait(false);
        });
        _thread.Reactor.ConnectAsync(address, talking);
        Assert.That(async () => await talking.Completion.WaitAsync(_bound), Throws.Nothing);
    }

    private T OnLoop<T>(Func<T> function) =>
        _thread.Reactor.InvokeAsync(function).WaitAsync(_bound).GetAwaiter().GetResult();

    [GeneratedRegex(@"\d+$")]
    private static partial Regex Port();

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
