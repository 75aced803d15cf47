using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hostile;

/// <summary>
/// A bad network between a client and a server: it passes bytes on in pieces of any size, late, and cuts some
/// connections with a reset. What it does to a connection depends on the seed and on the connection's number only.
/// </summary>
internal sealed class ChaosProxy : IDisposable
{
    private readonly EndPoint _server;
    private readonly int _seed;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private int _cut;

    public ChaosProxy(EndPoint server, int seed)
    {
        _server = server;
        _seed = seed;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _ = AcceptAsync();
    }

    public EndPoint Address => _listener.LocalEndPoint!;

    /// <summary>How many connections it cut.</summary>
    public int Cut => Volatile.Read(ref _cut);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            for (int number = 0; ; number++)
            {
                _ = PassAsync(await _listener.AcceptAsync(), new Random((_seed * 1000) + number));
            }
        }
        catch (SocketException)
        {
            // Disposed: the end.
        }
    }

    private async Task PassAsync(Socket client, Random random)
    {
        using Socket near = client;
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        await far.ConnectAsync(_server);
        long cutAfter = random.Next(4) == 0 ? random.Next(30_000) : long.MaxValue;
        try
        {
            await Task.WhenAll(
                PassAsync(near, far, new Random(random.Next()), cutAfter),
                PassAsync(far, near, new Random(random.Next()), long.MaxValue));
        }
        catch (SocketException)
        {
            // Either end has gone.
        }
        catch (ObjectDisposedException)
        {
            // The other direction has cut the connection.
        }
    }

    private async Task PassAsync(Socket from, Socket to, Random random, long cutAfter)
    {
        byte[] buffer = new byte[8192];
        for (long passed = 0; ;)
        {
            int count = await from.ReceiveAsync(buffer.AsMemory(0, random.Next(1, buffer.Length)));
            if (count == 0)
            {
                to.Shutdown(SocketShutdown.Send);
                return;
            }

            passed += count;
            if (passed > cutAfter)
            {
                Interlocked.Increment(ref _cut);
                from.LingerState = to.LingerState = new LingerOption(true, 0);
                from.Dispose();
                to.Dispose();
                return;
            }

            if (random.Next(4) == 0)
            {
                await Task.Delay(random.Next(5));
            }

            for (int sent = 0; sent < count;)
            {
                int piece = Math.Min(count - sent, random.Next(1, 3000));
                sent += await to.SendAsync(buffer.AsMemory(sent, piece));
            }
        }
    }
}
