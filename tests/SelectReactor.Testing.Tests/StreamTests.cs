using System.IO.Compression;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace SelectReactor.Testing.Tests;

/// <summary>Libraries over <see cref="Connection.AsStream"/> on the simulated network.</summary>
public sealed class StreamTests
{
    private static readonly string[] _words = [.. Enumerable.Range(0, 5_000).Select(static i => $"word {i}")];

    // Without TLS, whose keys and signatures differ from run to run.
    [Test]
    public void Libraries_AreTheSameRunEachTime([Range(1, 5)] int seed, [Values] bool configured)
    {
        ulong[] hashes = [.. Enumerable.Range(0, 10).Select(_ => SimulatedNetwork.Try(
            seed,
            Lossy(),
            network => Play(
                network,
                (_, stream) => ServeAsync(stream, configured),
                (connection, stream) => TalkAsync(connection, stream, configured))))];

        Assert.That(hashes.Distinct(), Has.Exactly(1).Items);
    }

    [Test]
    public void Tls_InBothRoles([Range(1, 5)] int seed, [Values] bool configured)
    {
        using X509Certificate2 certificate = CreateCertificate();
        SimulatedNetwork.Try(seed, Lossy(), network => Play(
            network,
            async (_, stream) =>
            {
                var ssl = new SslStream(stream);
                await ssl.AuthenticateAsServerAsync(certificate).ConfigureAwait(configured);
                await ssl.CopyToAsync(ssl).ConfigureAwait(configured);
                await ssl.ShutdownAsync().ConfigureAwait(configured);
            },
            async (_, stream) =>
            {
                byte[] sent = new byte[300_000];
                network.Random.NextBytes(sent);
                byte[] received = new byte[sent.Length];
                var ssl = new SslStream(
                    stream,
                    leaveInnerStreamOpen: false,
                    (_, given, _, _) => given!.GetCertHashString() == certificate.GetCertHashString());
                await ssl.AuthenticateAsClientAsync("host").ConfigureAwait(configured);
                Task writing = ssl.WriteAsync(sent).AsTask();
                await ssl.ReadExactlyAsync(received).ConfigureAwait(configured);
                await writing.ConfigureAwait(configured);
                await ssl.ShutdownAsync().ConfigureAwait(configured);
                Assert.That(await ssl.ReadAsync(received).ConfigureAwait(configured), Is.Zero, "close_notify");
                Assert.That(received.AsSpan().SequenceEqual(sent));
            }));
    }

    [Test]
    public void ResetInTheMiddle_IsAnIOException_AndAnEndIsNot([Values] bool isReset)
    {
        using var connection = new TestConnection(new Serving(static async stream =>
        {
            using var reader = new StreamReader(stream, Encoding.ASCII);
            await using var writer = new StreamWriter(stream, Encoding.ASCII);
            try
            {
                while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
                {
                    await writer.WriteAsync($"<{line}>").ConfigureAwait(false);
                    await writer.FlushAsync().ConfigureAwait(false);
                }

                await writer.WriteAsync("end").ConfigureAwait(false);
            }
            catch (IOException exception)
            {
                Assert.That(exception.InnerException, Is.TypeOf<SocketException>());
            }
        }));
        connection.ReceiveInPieces("one\ntwo\nthr"u8, 2);
        Assert.That(connection.TakeSentText(), Is.EqualTo("<one><two>"));
        if (isReset)
        {
            connection.Reset();
        }
        else
        {
            connection.EndInput();
        }

        Assert.That(connection.TakeSentText(), Is.EqualTo(isReset ? "" : "<thr>end"));
        connection.Advance(TimeSpan.FromSeconds(1));
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(isReset ? CloseKind.PeerReset : CloseKind.PeerClosed));
    }

    [Test]
    public void WriteAsync_WaitsForAPeerThatDoesNotRead()
    {
        Task? write = null;
        using var connection = new TestConnection(new Serving(async stream =>
        {
            await stream.ReadExactlyAsync(new byte[1]);
            write = stream.WriteAsync(new byte[1_000_000]).AsTask();
            await write;
        }));
        connection.PeerReads = false;
        connection.Receive([1]);
        Assert.That(write!.IsCompleted, Is.False);
        Assert.That(connection.Connection.QueuedOutputBytes, Is.LessThan(200_000));
        connection.PeerReads = true;
        connection.Run();

        Assert.That(write.IsCompletedSuccessfully);
        Assert.That(connection.TakeSent(), Has.Length.EqualTo(1_000_000));
    }

    private static SimulatedNetworkOptions Lossy() => new() { LossChance = 0.05 };

    private static async Task ServeAsync(Stream stream, bool configured)
    {
        var reader = new StreamReader(stream, Encoding.UTF8);
        var writer = new StreamWriter(stream) { AutoFlush = true };
        for (int i = 0; i < 20; i++)
        {
            string? line = await reader.ReadLineAsync().ConfigureAwait(configured);
            await writer.WriteLineAsync($"{line}!").ConfigureAwait(configured);
        }

        string[]? words = await JsonSerializer.DeserializeAsync<string[]>(stream).ConfigureAwait(configured);
        await using var zip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
        await JsonSerializer.SerializeAsync(zip, words).ConfigureAwait(configured);
    }

    private static async Task TalkAsync(Connection connection, Stream stream, bool configured)
    {
        var reader = new StreamReader(stream, Encoding.UTF8);
        var writer = new StreamWriter(stream) { AutoFlush = true };
        for (int i = 0; i < 20; i++)
        {
            await writer.WriteLineAsync($"line {i}").ConfigureAwait(configured);
            Assert.That(await reader.ReadLineAsync().ConfigureAwait(configured), Is.EqualTo($"line {i}!"));
        }

        await JsonSerializer.SerializeAsync(stream, _words).ConfigureAwait(configured);
        connection.CloseOutput();
        await using var unzip = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
        string[]? words = await JsonSerializer.DeserializeAsync<string[]>(unzip).ConfigureAwait(configured);
        Assert.That(words, Is.EqualTo(_words));
    }

    /// <summary>Lets a server and a client talk until both tasks have completed on the network's thread.</summary>
    private static void Play(
        SimulatedNetwork network, Func<Connection, Stream, Task> serve, Func<Connection, Stream, Task> talk)
    {
        int thread = Environment.CurrentManagedThreadId;
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        var serving = new Serving(serve);
        var talking = new Serving(talk);
        server.Reactor.Listen(server.EndPoint(7), serving);
        client.Reactor.ConnectAsync(server.EndPoint(7), talking);
        network.RunUntil(() => serving.IsOver && talking.IsOver);
        Assert.That((serving.Thread, talking.Thread), Is.EqualTo((thread, thread)));
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=host", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), password: null);
    }

    /// <summary>Serves a connection as a stream, and notes on which thread that ended.</summary>
    private sealed class Serving(Func<Connection, Stream, Task> serve) : AsyncConnectionHandler
    {
        public Serving(Func<Stream, Task> serve)
            : this((_, stream) => serve(stream))
        {
        }

        public bool IsOver { get; private set; }

        public int Thread { get; private set; }

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            await serve(connection, connection.AsStream());
            Thread = Environment.CurrentManagedThreadId;
            IsOver = true;
        }
    }
}
