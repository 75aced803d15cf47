using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SelectReactor.Hosting.Tests;

/// <summary>A blocking client that shares no code with the library. Every wait is bounded.</summary>
internal sealed class Client : IDisposable
{
    private readonly Socket _socket;

    public Client(EndPoint endPoint)
    {
        _socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveTimeout = 20_000,
            SendTimeout = 20_000,
        };
        _socket.Connect(endPoint);
    }

    public string Ask(string text)
    {
        _socket.Send(Encoding.ASCII.GetBytes(text));
        return Receive();
    }

    /// <summary>What comes next; empty at the end of the stream.</summary>
    public string Receive()
    {
        byte[] buffer = new byte[1000];
        return Encoding.ASCII.GetString(buffer, 0, _socket.Receive(buffer));
    }

    public void Dispose() => _socket.Dispose();
}
