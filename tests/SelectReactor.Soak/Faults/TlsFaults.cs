using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>TLS connections whose ciphertext is cut or held up at any byte.</summary>
internal static class TlsFaults
{
    private const int Port = 7;
    private const int MaxBytes = 6_000;

    /// <summary>About as many as a handshake takes.</summary>
    private const int HandshakeBytes = 2_000;
    private const int HeaderBytes = 5;

    /// <summary>The longest time on the slowest network.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromHours(1);

    private static readonly Lazy<X509Certificate2> _certificate = new(CreateCertificate);

    private enum Cut
    {
        None,
        End,
        Reset,
        Stall,
    }

    /// <summary>F39, L16: every byte comes, in order, up to the cut, and no end is taken for a good one that is none;
    /// of a handshake that is cut nothing is left.</summary>
    public static void TlsCutAnywhere(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost relay = network.AddHost("relay");
        SimulatedHost client = network.AddHost("client");
        SslProtocols protocol = network.Random.Coin() ? SslProtocols.Tls12 : SslProtocols.Tls13;
        byte[] sent = network.Random.Bytes(MaxBytes);
        var line = new Line(network.Random, sent.Length + HandshakeBytes);
        var there = new List<byte>();
        var back = new List<byte>();
        var served = new Recorder
        {
            Readable = connection =>
            {
                byte[] bytes = Recorder.ReadAll(connection);
                there.AddRange(bytes);
                connection.Output.Write(bytes);
            },
        };
        var calling = new Recorder
        {
            Connected = connection => connection.Output.Write(sent),
            Readable = connection =>
            {
                back.AddRange(Recorder.ReadAll(connection));
                if (back.Count == sent.Length)
                {
                    connection.Close();
                }
            },
        };
        Listener listener = server.Reactor.Listen(
            server.EndPoint(Port),
            served,
            new ListenerOptions { Tls = ServerOptions(protocol), Connection = PatientOptions() });
        line.Listen(relay, server);
        Task<Connection> attempt = client.Reactor.ConnectAsync(
            relay.EndPoint(Port),
            calling,
            new ConnectOptions { Tls = ClientOptions(protocol), Timeout = _patience, Connection = PatientOptions() });

        bool IsOver() => attempt.IsCompleted && relay.Reactor.Connections.Count == 0
            && calling.Closed == calling.Connections && served.Closed == served.Connections
            && listener.ConnectionCount == 0;
        network.RunUntil(IsOver, 10 * _patience);
        network.RunUntilIdle();
        network.RunUntil(IsOver, 10 * _patience);

        Require.That(sent.AsSpan().StartsWith(there.ToArray()), "the server reads what was sent");
        Require.That(sent.AsSpan().StartsWith(back.ToArray()), "the client reads what came back");
        bool isGoodEnd = served.Closed == 1 && served.Reason is { Kind: CloseKind.PeerClosed, Error: null };
        Require.That(
            !isGoodEnd || back.Count == sent.Length || line.CountsServer, "a cut is not taken for the client's end");
        Require.That(
            calling.Closed == 0 || calling.Reason is not { Kind: CloseKind.PeerClosed, Error: null }
                || !line.CountsServer,
            "a cut is not taken for the server's end");
        Require.That(
            attempt.IsCompletedSuccessfully || attempt.Exception?.InnerException
                is AuthenticationException or IOException or SocketException or TimeoutException,
            $"a failed attempt says why: {attempt.Exception?.InnerException}");
        if (!line.IsCut)
        {
            Require.That(isGoodEnd, $"an orderly end, not {(served.Closed == 1 ? served.Reason : null)}");
            Require.Equal(calling.Reason, new CloseReason { Kind = CloseKind.Local });
        }

        Leaks.None(network, listeners: 2);
    }

    private static ConnectionOptions PatientOptions() => new()
    {
        LingerTimeout = _patience,
        MaxLingerTime = Timeout.InfiniteTimeSpan,
        IdleTimeout = _patience,
        WriteProgressTimeout = _patience,
    };

    // No session is resumed, so that a run does not depend on the one before it.
    private static TlsServerOptions ServerOptions(SslProtocols protocol) => new()
    {
        Certificate = CertificateSource.FromCertificate(_certificate.Value),
        HandshakeTimeout = _patience,
        Configure = options =>
        {
            options.EnabledSslProtocols = protocol;
            options.AllowTlsResume = false;
        },
    };

    private static TlsClientOptions ClientOptions(SslProtocols protocol) => new()
    {
        HandshakeTimeout = _patience,
        Configure = options =>
        {
            options.EnabledSslProtocols = protocol;
            options.TargetHost = "soak.test";
            options.AllowTlsResume = false;
            options.RemoteCertificateValidationCallback = static (_, given, _, _) => given?.Subject == "CN=soak.test";
        },
    };

    // Its length is the same in each process: an RSA key, and a number that is given.
    private static X509Certificate2 CreateCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(
            "CN=soak.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.Create(
            request.SubjectName,
            X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pkcs1),
            DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddDays(30),
            serialNumber: [1]);
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>Relays ciphertext, and cuts both ways when so many bytes of one way have passed; or at the next end of
    /// a record, where a cut is hardest to notice.</summary>
    private sealed class Line(Random random, int maxBytes)
    {
        private readonly Cut _cut = (Cut)random.Next(4);
        private readonly bool _cutsBetweenRecords = random.Coin();
        private int _rest = random.Next(maxBytes);

        /// <summary>Of the record that passes: the bytes of the header that have passed, the length in it, and the
        /// bytes of the body that have not.</summary>
        private int _header;
        private ushort _length;
        private int _body;

        public bool IsCut { get; private set; }

        /// <summary>Whether the bytes of the server are counted, and not those of the client.</summary>
        public bool CountsServer { get; } = random.Coin();

        public void Listen(SimulatedHost relay, SimulatedHost server) =>
            relay.Reactor.Listen(
                relay.EndPoint(Port),
                async (near, _) =>
                {
                    var patient = new ConnectOptions { Timeout = _patience, Connection = PatientOptions() };
                    Connection far = await relay.Reactor.ConnectAsync(server.EndPoint(Port), patient);
                    await Task.WhenAll(
                        PassAsync(near, far, isCounted: !CountsServer), PassAsync(far, near, CountsServer));
                    far.Close();
                },
                new ListenerOptions { Connection = PatientOptions() });

        private async Task PassAsync(Connection from, Connection to, bool isCounted)
        {
            try
            {
                bool isEnd;
                do
                {
                    ReadResult result = await from.Input.ReadAsync();
                    Pass(result.Buffer, from, to, isCounted && _cut != Cut.None);
                    from.Input.AdvanceTo(result.Buffer.End);
                    isEnd = result.IsCompleted;
                }
                while (!isEnd);

                to.CloseOutput();
            }
            catch (Exception exception) when (exception is IOException or InvalidOperationException)
            {
                to.Abort();
            }
        }

        private void Pass(ReadOnlySequence<byte> bytes, Connection from, Connection to, bool isCounted)
        {
            if (IsCut && (isCounted || _cut != Cut.End))
            {
                return;
            }

            long count = isCounted ? FindCut(bytes) : -1;
            Require.That(to.TryWrite(count < 0 ? bytes : bytes.Slice(0, count)) || to.State != ConnectionState.Open);
            if (count < 0)
            {
                return;
            }

            IsCut = true;
            switch (_cut)
            {
                case Cut.End:
                    to.CloseOutput();
                    break;
                case Cut.Reset:
                    from.Abort();
                    to.Abort();
                    break;
                default:
                    break;
            }
        }

        // How many of the bytes pass before the cut; -1 if all do.
        private long FindCut(ReadOnlySequence<byte> bytes)
        {
            long count = 0;
            foreach (ReadOnlyMemory<byte> segment in bytes)
            {
                foreach (byte each in segment.Span)
                {
                    if (_rest <= 0 && (!_cutsBetweenRecords || (_header == 0 && _body == 0)))
                    {
                        return count;
                    }

                    Follow(each);
                    _rest--;
                    count++;
                }
            }

            return -1;
        }

        // The last two bytes of a header are the length of the body (RFC 8446, section 5.1).
        private void Follow(byte each)
        {
            if (_body > 0)
            {
                _body--;
                return;
            }

            _length = (ushort)((_length << 8) | each);
            _header++;
            if (_header == HeaderBytes)
            {
                _header = 0;
                _body = _length;
            }
        }
    }
}
