using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class HandleStateTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void FreshHandle_IsNotConnected()
    {
        Handle handle = NewStream();

        Assert.That(ReceiveNothing(handle), Is.EqualTo(SocketError.NotConnected));
        Assert.That(Send(handle), Is.EqualTo(SocketError.Shutdown));
        Assert.That(Send(handle), Is.EqualTo(SocketError.Shutdown));
        Assert.That(handle.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.NotConnected));
        Assert.That(handle.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Listener_IsNotConnected([Values] bool listens)
    {
        Handle handle = listens ? Listening() : NewListener();

        Assert.That(handle.Receive(new byte[1], out _), Is.EqualTo(SocketError.NotConnected));
        Assert.That(Send(handle), Is.EqualTo(SocketError.Shutdown));
        Assert.That(SendGathered(handle, out _, [1]), Is.EqualTo(SocketError.Shutdown));
        Assert.That(handle.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void FreshHandle_IsReady_SinceNothingCouldBlock()
    {
        Handle handle = NewStream();

        WaitFor(handle, Interest.Read);
        WaitFor(handle, Interest.Write);
    }

    [Test]
    public void FreshListener_IsReady_AndNotWhenItListens()
    {
        Handle handle = NewListener();
        WaitFor(handle, Interest.Read);
        handle.Bind(AnyLoopbackPort);
        WaitFor(handle, Interest.Read);
        handle.Listen(1);

        AssertNotReady(handle, Interest.Read | Interest.Write);
    }

    [Test]
    public void Close_Twice_IsTheSameAsOnce()
    {
        (Handle client, Handle server) = Pair();

        client.Close();
        client.Close();
        client.Abort();
        client.Dispose();

        Assert.That(client.IsClosed, Is.True);
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void ClosedHandle_AnswersOperationAborted([Values] bool abort, [Values] bool listener)
    {
        Handle handle = listener ? Listening() : Pair().Client;
        Assert.That(handle.IsClosed, Is.False);
        if (abort)
        {
            handle.Abort();
        }
        else
        {
            handle.Close();
        }

        SocketError[] answers =
        [
            handle.Receive(new byte[1], out int received),
            handle.Send([1], out int sent),
            SendGathered(handle, out int gathered, [1]),
            handle.Accept(out Handle? accepted),
            handle.Connect(new IPEndPoint(IPAddress.Loopback, 1)),
            handle.Bind(AnyLoopbackPort),
            handle.Listen(1),
            handle.SetOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1),
            handle.Shutdown(SocketShutdown.Both),
            handle.TakeError(),
        ];

        Assert.That(answers, Is.All.EqualTo(SocketError.OperationAborted));
        Assert.That((received, sent, gathered, accepted), Is.EqualTo((0, 0, 0, (Handle?)null)));
        Assert.That(handle.IsClosed, Is.True);
        Assert.That((handle.LocalEndPoint, handle.RemoteEndPoint), Is.EqualTo(((EndPoint?)null, (EndPoint?)null)));
    }

    [Test]
    public void Close_WhileConnecting_LeavesTheListenerAlone()
    {
        Handle listener = Listening();
        Connecting(listener.LocalEndPoint!).Close();
        Connecting(listener.LocalEndPoint!).Abort();
        Settle();

        Handle client = Connected(listener);
        SendAll(client, [7]);

        // The two may have got through before they went, or not; nobody waits behind them.
        (SocketError Error, byte[] Bytes) last;
        do
        {
            last = Receive(Accept(listener));
        }
        while (last.Bytes.Length == 0);
        Assert.That(last.Bytes, Is.EqualTo(new byte[] { 7 }));
    }
}
