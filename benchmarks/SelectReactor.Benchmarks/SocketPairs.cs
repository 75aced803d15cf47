using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Benchmarks;

/// <summary>Connected loopback sockets: the near ends are what a benchmark watches, the far ends are what it writes
/// to.</summary>
internal sealed class SocketPairs : IDisposable
{
    public SocketPairs(int count)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
        for (int i = 0; i < count; i++)
        {
            var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            far.Connect(listener.LocalEndPoint!);
            Far.Add(far);
            Near.Add(listener.Accept());
        }
    }

    public List<Socket> Near { get; } = [];

    public List<Socket> Far { get; } = [];

    public void Dispose()
    {
        Near.ForEach(static socket => socket.Dispose());
        Far.ForEach(static socket => socket.Dispose());
    }
}
