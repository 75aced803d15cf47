using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.LoadTest.Load;

/// <summary>A TLS connection to the server: the framework's SslStream, on the thread pool.</summary>
internal sealed class TlsClient : IDisposable
{
    private const int ParallelOpens = 16;
    private const int TcpInfo = 11;
    private const int TcpInfoBytesReceived = 128;
    private readonly Socket _socket;
    private readonly SslStream _stream;

    private TlsClient(Socket socket)
    {
        _socket = socket;
        _stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>Ciphertext that the kernel has received: few bytes if no certificate was sent.</summary>
    private long BytesReceived
    {
        get
        {
            Span<byte> info = stackalloc byte[TcpInfoBytesReceived + sizeof(long)];
            _socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info);
            return BitConverter.ToInt64(info[TcpInfoBytesReceived..]);
        }
    }

    public static async Task<TlsClient> OpenAsync(LoadOptions options)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, options.Port));
        var client = new TlsClient(socket);

        // Self-signed; checking it must cost the generator little.
        await client._stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            AllowTlsResume = options.Tls == LoadTls.Resumed,
            RemoteCertificateValidationCallback = static (_, given, _, _) => given?.Subject == "CN=localhost",
            CertificateChainPolicy = new X509ChainPolicy
            {
                RevocationMode = X509RevocationMode.NoCheck,
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                DisableCertificateDownloads = true,
            },
        });
        return client;
    }

    /// <summary>Opens connections, and sends a message there and back on each.</summary>
    public static async Task<TlsClient[]> OpenManyAsync(LoadOptions options, int count)
    {
        byte[] message = ClientSocket.CreatePattern(options.Size);
        var clients = new TlsClient[count];
        var few = new ParallelOptions { MaxDegreeOfParallelism = ParallelOpens };
        await Parallel.ForAsync(0, count, few, async (i, _) =>
        {
            clients[i] = await OpenAsync(options);
            await clients[i].EchoAsync(message, new byte[message.Length]);
        });
        return clients;
    }

    /// <summary>That sessions are resumed if they shall be, and else are not.</summary>
    public static async Task CheckResumptionAsync(LoadOptions options)
    {
        using TlsClient first = (await OpenManyAsync(options, 1))[0];
        using TlsClient second = (await OpenManyAsync(options, 1))[0];
        bool isResumed = second.BytesReceived < first.BytesReceived * 3 / 4;
        if (isResumed != (options.Tls == LoadTls.Resumed))
        {
            throw new LoadTestException(
                $"the second session was {(isResumed ? "" : "not ")}resumed: the first handshake and message took "
                + $"{first.BytesReceived} bytes, the second one {second.BytesReceived}");
        }
    }

    /// <summary>Sends a message, and compares what comes back.</summary>
    public async Task EchoAsync(ReadOnlyMemory<byte> message, Memory<byte> reply)
    {
        await _stream.WriteAsync(message);
        await _stream.ReadExactlyAsync(reply);
        if (!reply.Span.SequenceEqual(message.Span))
        {
            throw new LoadTestException("the server sends back other bytes than it got");
        }
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => _stream.WriteAsync(bytes);

    public ValueTask ReceiveAsync(Memory<byte> bytes) => _stream.ReadExactlyAsync(bytes);

    /// <summary>Ends the stream both ways: close_notify, and whatever end the server has.</summary>
    public async Task EndAsync(Memory<byte> buffer)
    {
        await _stream.ShutdownAsync();
        if (await _stream.ReadAsync(buffer) > 0)
        {
            throw new LoadTestException("more bytes came back than were sent");
        }
    }

    public void Dispose() => _stream.Dispose();
}
