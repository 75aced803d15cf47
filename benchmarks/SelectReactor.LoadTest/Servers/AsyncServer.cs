using System.Net;
using System.Net.Sockets;

namespace SelectReactor.LoadTest.Servers;

/// <summary>The way most programs are written: a task and a buffer for each connection.</summary>
internal static class AsyncServer
{
    public static void Run(int port, Action<EndPoint> listening)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(EchoServers.Backlog);
        listening(listener.LocalEndPoint!);
        AcceptAsync(listener).GetAwaiter().GetResult();
    }

    private static async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            _ = ServeAsync(await listener.AcceptAsync());
        }
    }

    private static async Task ServeAsync(Socket socket)
    {
        using Socket connection = socket;
        connection.NoDelay = true;
        byte[] buffer = new byte[64 * 1024];
        try
        {
            int received;
            while ((received = await connection.ReceiveAsync(buffer.AsMemory())) > 0)
            {
                await connection.SendAsync(buffer.AsMemory(0, received));
            }
        }
        catch (SocketException)
        {
            // The peer reset the connection: this one is over, and nobody asks why.
        }
    }
}
