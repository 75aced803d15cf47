using System.Security.Authentication;

namespace SelectReactor.Testing.Tests;

/// <summary>A peer that takes a little all the time: the limits on its slowness are the same with TLS and
/// without.</summary>
public sealed class TlsSlowPeerTests
{
    private const int Bytes = 200_000;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(1);

    [Test]
    public void WriteProgress_IsThatOfThePeer([Values] bool isTls, [Values] bool keepsUp) =>
        Run(isTls, keepsUp, closes: false, new ConnectionOptions { WriteProgressTimeout = _limit });

    [Test]
    public void IdleTimeout_LetsThePeerTakeOutput([Values] bool isTls) =>
        Run(isTls, keepsUp: true, closes: false, new ConnectionOptions { IdleTimeout = _limit });

    [Test]
    public void OutputAfterClose_IsNotLost([Values] bool isTls) =>
        Run(isTls, keepsUp: true, closes: true, new ConnectionOptions { LingerTimeout = _limit });

    // The line carries two or half of what the peer must take in each second, and much less than a batch of records.
    private static void Run(bool isTls, bool keepsUp, bool closes, ConnectionOptions options)
    {
        using var network = new SimulatedNetwork(1, new SimulatedNetworkOptions
        {
            BytesPerSecond = keepsUp ? 8192 : 2048,
            SendBufferBytes = 8192,
        });
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        options.MaxOutputBytes = 2 * Bytes;
        options.MaxLingerTime = TimeSpan.FromMinutes(10);
        Task<CloseReason>? closing = null;
        server.Reactor.Listen(
            server.EndPoint(7),
            async (connection, _) =>
            {
                closing = connection.Completion;
                connection.TryWrite(new byte[Bytes]);
                if (!closes)
                {
                    await connection.Input.ReadAsync();
                }
            },
            new ListenerOptions
            {
                Tls = isTls ? TlsSimulationTests.ServerOptions(SslProtocols.Tls13) : null,
                Connection = options,
            });
        int taken = 0;
        client.Reactor.Post(async () =>
        {
            await using Connection connection = await client.Reactor.ConnectAsync(
                server.EndPoint(7),
                new ConnectOptions { Tls = isTls ? TlsSimulationTests.ClientOptions(SslProtocols.Tls13) : null });
            try
            {
                int now;
                do
                {
                    now = await connection.AsStream().ReadAsync(new byte[Bytes]);
                    taken += now;
                }
                while (now > 0 && taken < Bytes);
            }
            catch (IOException exception)
            {
                network.Note(exception.Message);
            }
        });
        network.RunUntil(() => closing is { IsCompleted: true }, TimeSpan.FromHours(1));

        Assert.That(closing!.Result.Kind == CloseKind.TimedOut, Is.EqualTo(!keepsUp));
        Assert.That(taken, keepsUp ? Is.EqualTo(Bytes) : Is.LessThan(Bytes));
    }
}
