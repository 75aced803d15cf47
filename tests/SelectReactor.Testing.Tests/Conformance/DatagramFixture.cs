using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>Cases with datagrams.</summary>
public abstract class DatagramFixture(string world) : ConformanceFixture(world)
{
    /// <summary>The address of the last datagram's sender.</summary>
    protected SocketAddress Sender { get; } = new(AddressFamily.InterNetwork);

    protected static int PortOf(EndPoint endPoint) => ((IPEndPoint)endPoint).Port;

    protected static int PortOf(SocketAddress address) => PortOf(AnyLoopbackPort.Create(address));

    protected static IPAddress AddressOf(SocketAddress address) =>
        ((IPEndPoint)AnyLoopbackPort.Create(address)).Address;

    protected static (SocketError Error, int Sent) SendTo(Handle from, Handle to, byte[] bytes)
    {
        SocketError error = from.SendTo(bytes, to.LocalEndPoint!.Serialize(), out int sent);
        return (error, sent);
    }

    protected Handle BoundOne(bool reuse = false)
    {
        Handle handle = NewDatagram();
        if (reuse)
        {
            handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1);
        }

        Assert.That(handle.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));
        return handle;
    }

    protected (SocketError Error, byte[] Bytes) ReceiveFrom(Handle handle, int most = 4096)
    {
        byte[] buffer = new byte[most];
        int received = 0;
        SocketError error = UntilItCan(
            handle, Interest.Read, () => handle.ReceiveFrom(buffer, Sender, out received));
        return (error, buffer[..received]);
    }
}
