using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using SelectReactor.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>A PROXY header in front of TLS, sent and read by this library.</summary>
public sealed class HeaderTlsTests
{
    private const int Port = 7;
    private const int RecordHeaderBytes = 5;

    /// <summary>What comes with the header belongs to the handshake.</summary>
    [Test]
    public void HeaderAndClientHello_MayBeCutAnywhere([Values] ProxyProtocolVersion version)
    {
        var header = new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination) { Version = version };
        int length = 0;
        for (int split = 0; split <= length; split++)
        {
            length = Run(header, split);
        }

        Assert.That(length, Is.GreaterThan(HeaderBytes.Of(header).Length + 100));
    }

    [Test]
    public void HeaderAndHandshake_PassAnyNetwork() =>
        SimulatedNetwork.Explore(40, static network =>
        {
            SimulatedHost server = network.AddHost("server");
            SimulatedHost client = network.AddHost("client");
            var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
            Listen(server, handler);
            var header = new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination);
            Task<byte[]> answer = Ask(client, server.EndPoint(Port), header);
            network.RunUntil(() => answer.IsCompleted && handler.IsClosed, TimeSpan.FromHours(1));

            Verify(handler, answer);
        });

    /// <summary>A relay between client and server lets so many bytes of header and ClientHello pass, and the rest a
    /// second later.</summary>
    /// <returns>The number of these bytes.</returns>
    private static int Run(ProxyHeader header, int split)
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        SimulatedHost server = network.AddHost("server");
        SimulatedHost relay = network.AddHost("relay");
        SimulatedHost client = network.AddHost("client");
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        Listen(server, handler);
        int length = 0;
        relay.Reactor.Listen(relay.EndPoint(Port), async (near, _) =>
        {
            Connection far = await relay.Reactor.ConnectAsync(server.EndPoint(Port));
            byte[] start = await ReadStart(near, HeaderBytes.Of(header).Length);
            length = start.Length;
            far.Output.Write(start.AsSpan(0, split));
            var second = new TaskCompletionSource();
            relay.Reactor.Schedule(TimeSpan.FromSeconds(1), second.SetResult);
            await second.Task;
            far.Output.Write(start.AsSpan(split));
            Task answers = far.AsStream().CopyToAsync(near.AsStream());
            await near.AsStream().CopyToAsync(far.AsStream());
            far.CloseOutput();
            await answers;
        });
        Task<byte[]> answer = Ask(client, relay.EndPoint(Port), header);
        network.RunUntil(() => answer.IsCompleted && handler.IsClosed, TimeSpan.FromHours(1));

        Verify(handler, answer);
        return length;
    }

    private static void Listen(SimulatedHost server, IConnectionHandler handler) =>
        server.Reactor.Listen(server.EndPoint(Port), handler, new ListenerOptions
        {
            ProxyProtocol = new ProxyProtocolOptions
            {
                TrustedNetworks = [IPNetwork.Parse("0.0.0.0/0")],
                Timeout = TimeSpan.FromMinutes(10),
            },
            Tls = new TlsServerOptions
            {
                Certificate = CertificateSource.FromCertificate(Certificates.Server),
                HandshakeTimeout = TimeSpan.FromMinutes(10),
            },
        });

    private static Task<byte[]> Ask(SimulatedHost client, EndPoint server, ProxyHeader header)
    {
        var answer = new TaskCompletionSource<byte[]>();
        client.Reactor.Post(async () =>
        {
            try
            {
                await using Connection connection = await client.Reactor.ConnectAsync(server, new ConnectOptions
                {
                    ProxyProtocol = header,
                    Timeout = TimeSpan.FromMinutes(10),
                    Tls = new TlsClientOptions
                    {
                        HandshakeTimeout = TimeSpan.FromMinutes(10),
                        Configure = static options =>
                        {
                            Certificates.Trust(options);
                            options.AllowTlsResume = false;
                        },
                    },
                });
                connection.Output.Write("hello"u8);
                byte[] bytes = new byte[5];
                await connection.AsStream().ReadExactlyAsync(bytes);
                answer.SetResult(bytes);
            }
            catch (Exception exception)
            {
                answer.SetException(exception);
            }
        });
        return answer.Task;
    }

    private static void Verify(ScriptedHandler handler, Task<byte[]> answer)
    {
        Assert.That(answer.GetAwaiter().GetResult(), Is.EqualTo("hello"u8.ToArray()));
        Assert.That(handler.Connection.RemoteEndPoint, Is.EqualTo(HeaderBytes.Source));
        Assert.That(handler.Connection.GetFeature<ITlsFeature>()!.ServerName, Is.EqualTo(Certificates.Host));
        Assert.That(handler.Connection.Statistics, Is.EqualTo(
            new ConnectionStatistics { BytesReceived = 5, BytesSent = 5 }));
    }

    private static async Task<byte[]> ReadStart(Connection connection, int headerLength)
    {
        while (true)
        {
            ReadResult result = await connection.Input.ReadAsync();
            byte[] bytes = result.Buffer.ToArray();
            int record = headerLength + RecordHeaderBytes;
            if (bytes.Length >= record
                && bytes.Length == record + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(record - 2)))
            {
                connection.Input.AdvanceTo(result.Buffer.End);
                return bytes;
            }

            connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            Assert.That(result.IsCompleted, Is.False);
        }
    }
}
