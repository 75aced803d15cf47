using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Tests.Support;

/// <summary>A handler of datagrams whose callbacks a test fills in, and which keeps what happened.</summary>
public sealed class DatagramScript : DatagramHandler
{
    public delegate void Receiver(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram);

    public Receiver? Received { get; init; }

    public Action<DatagramSocket, SocketError>? Error { get; init; }

    public Action<DatagramSocket>? Writable { get; init; }

    public Action<DatagramSocket>? Stopping { get; init; }

    public Action<DatagramSocket, CloseReason>? Closed { get; init; }

    public List<(SocketAddress From, byte[] Bytes)> Datagrams { get; } = [];

    public List<SocketError> Errors { get; } = [];

    public List<CloseReason> Reasons { get; } = [];

    public int Writables { get; private set; }

    public int Stoppings { get; private set; }

    public IEnumerable<byte[]> Contents => Datagrams.Select(static datagram => datagram.Bytes);

    public static void Echo(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram) =>
        Assert.That(socket.TrySend(datagram, remote), Is.EqualTo(DatagramSendResult.Sent));

    public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram)
    {
        Datagrams.Add((remote.Copy(), datagram.ToArray()));
        Received?.Invoke(socket, remote, datagram);
    }

    public override void OnError(DatagramSocket socket, SocketError error)
    {
        Errors.Add(error);
        Error?.Invoke(socket, error);
    }

    public override void OnWritable(DatagramSocket socket)
    {
        Writables++;
        Writable?.Invoke(socket);
    }

    public override void OnStopping(DatagramSocket socket)
    {
        Stoppings++;
        if (Stopping is not null)
        {
            Stopping(socket);
        }
        else
        {
            base.OnStopping(socket);
        }
    }

    public override void OnClosed(DatagramSocket socket, CloseReason reason)
    {
        Reasons.Add(reason);
        Closed?.Invoke(socket, reason);
    }
}
