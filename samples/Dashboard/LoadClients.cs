using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using SelectReactor;

namespace Dashboard;

/// <summary>Clients that give the page something to show: each sends now and then, for a while, and comes back after a
/// pause.</summary>
internal sealed class LoadClients(HostedReactor hosted, int count) : BackgroundService
{
    private const int MaxMessageBytes = 16 * 1024;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (count == 0)
        {
            return;
        }

        using var thread = new ReactorThread();
        EndPoint server = await WaitForServerAsync(stoppingToken);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, count).Select(
                i => ComeAndGoAsync(thread.Reactor, server, new Random(i), stoppingToken)));
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    // The host starts the servers while this runs.
    private async Task<EndPoint> WaitForServerAsync(CancellationToken stopping)
    {
        while (!hosted.IsAccepting)
        {
            await Task.Delay(100, stopping);
        }

        return hosted.GetListener(EchoHandler.Server).LocalEndPoint;
    }

    private static async Task ComeAndGoAsync(
        Reactor reactor, EndPoint server, Random random, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(random.Next(5000), stopping);
            try
            {
                await using Connection connection = await reactor.ConnectAsync(server, stopping);
                await TalkAsync(connection.AsStream(), random, stopping);
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // Somebody has closed it on the page.
            }
        }
    }

    private static async Task TalkAsync(Stream stream, Random random, CancellationToken stopping)
    {
        byte[] message = new byte[random.Next(1, MaxMessageBytes)];
        byte[] answer = new byte[message.Length];
        int messages = random.Next(200, 2000);
        int pause = random.Next(1, 50);
        for (int i = 0; i < messages; i++)
        {
            await stream.WriteAsync(message, stopping);
            await stream.ReadExactlyAsync(answer, stopping);
            await Task.Delay(pause, stopping);
        }
    }
}
