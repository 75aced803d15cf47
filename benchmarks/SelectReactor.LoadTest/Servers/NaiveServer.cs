using System.Net;
using System.Net.Sockets;

namespace SelectReactor.LoadTest.Servers;

/// <summary>The loop as the documentation of <see cref="Socket.Select(System.Collections.IList?,
/// System.Collections.IList?, System.Collections.IList?, int)"/> invites one to write it: blocking sockets, a new list
/// for each call.</summary>
internal static class NaiveServer
{
    public static void Run(int port, Action<EndPoint> listening)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(EchoServers.Backlog);
        listening(listener.LocalEndPoint!);

        var sockets = new HashSet<Socket> { listener };
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            var readable = new List<Socket>(sockets);
            Socket.Select(readable, null, null, -1);
            foreach (Socket socket in readable)
            {
                if (socket == listener)
                {
                    Socket accepted = listener.Accept();
                    accepted.NoDelay = true;
                    sockets.Add(accepted);
                }
                else if (!TryEcho(socket, buffer))
                {
                    sockets.Remove(socket);
                    socket.Dispose();
                }
            }
        }
    }

    private static bool TryEcho(Socket socket, byte[] buffer)
    {
        try
        {
            int received = socket.Receive(buffer);
            socket.Send(buffer, received, SocketFlags.None);
            return received > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
