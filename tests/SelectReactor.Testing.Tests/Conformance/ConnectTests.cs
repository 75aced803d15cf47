using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class ConnectTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void Connect_IsUnderWay_AndThenConnected()
    {
        Handle listener = Listening();
        Handle client = NewStream();

        Assert.That(client.Connect(listener.LocalEndPoint!), Is.EqualTo(SocketError.WouldBlock));
        WaitFor(client, Interest.Connect);

        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        WaitFor(client, Interest.Connect | Interest.Write);
        AssertNotReady(client, Interest.Read);
    }

    [Test]
    public void Connected_EndPointsAgree()
    {
        Handle listener = Listening();
        Handle client = Connected(listener);
        Handle server = Accept(listener);

        Assert.That(client.RemoteEndPoint, Is.EqualTo(listener.LocalEndPoint));
        Assert.That(server.LocalEndPoint, Is.EqualTo(listener.LocalEndPoint));
        Assert.That(server.RemoteEndPoint, Is.EqualTo(client.LocalEndPoint));
        var own = (IPEndPoint)client.LocalEndPoint!;
        Assert.That(own.Address, Is.EqualTo(IPAddress.Loopback));
        Assert.That(own.Port, Is.Not.Zero.And.Not.EqualTo(((IPEndPoint)listener.LocalEndPoint!).Port));
        Assert.That(listener.RemoteEndPoint, Is.Null);
    }

    [Test]
    public void Connect_WhereNobodyListens_IsRefused()
    {
        Handle client = Refused();

        WaitFor(client, Interest.Read | Interest.Write | Interest.Connect);
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        WaitFor(client, Interest.Read | Interest.Write);
    }

    [Test]
    public void Refused_ReceiveSaysSo_AndThenThatItIsReset()
    {
        Handle client = Refused();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Refused_SendSaysSoOnce()
    {
        Handle client = Refused();

        Assert.That(Send(client), Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Refused_HasNoRemoteEndPoint()
    {
        Handle client = Refused();

        // The runtime takes the error itself when it is asked for an end point before.
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.ConnectionRefused));
        Assert.That(client.RemoteEndPoint, Is.Null);
    }

    [Test]
    public void Refused_ShutdownIsForNothing([Values] bool taken)
    {
        Handle client = Refused();
        if (taken)
        {
            Assert.That(client.TakeError(), Is.EqualTo(SocketError.ConnectionRefused));
        }

        Assert.That(client.Shutdown(SocketShutdown.Both), Is.EqualTo(SocketError.NotConnected));
    }

    [Test]
    public void Refused_CannotTryAgain()
    {
        Handle client = Refused();
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.ConnectionRefused));

        Assert.That(client.Connect(Listening().LocalEndPoint!), Is.EqualTo(SocketError.ConnectionAborted));
    }

    [Test]
    public void ConnectingHandle_ShutDown_GivesUp()
    {
        Handle listener = Full(backlog: 0);
        Handle client = Connecting(listener.LocalEndPoint!);

        Assert.That(client.Shutdown(SocketShutdown.Both), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Connect_OfAConnectedHandle_IsConnected()
    {
        (Handle client, Handle server) = Pair();

        Assert.That(client.Connect(client.RemoteEndPoint!), Is.EqualTo(SocketError.IsConnected));
        Assert.That(server.Connect(server.RemoteEndPoint!), Is.EqualTo(SocketError.IsConnected));
        Assert.That(Send(client), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Connect_Twice_IsAlreadyInProgress()
    {
        Handle listener = Full(backlog: 0);
        Handle client = Connecting(listener.LocalEndPoint!);

        Assert.That(client.Connect(listener.LocalEndPoint!), Is.EqualTo(SocketError.AlreadyInProgress));
    }

    [Test]
    public void ConnectingHandle_NeitherReceivesNorSends()
    {
        Handle listener = Full(backlog: 0);
        Handle client = Connecting(listener.LocalEndPoint!);
        byte[] buffer = new byte[1];

        Assert.That(client.Receive(buffer, out int received), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(received, Is.Zero);
        Assert.That(Send(client), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        Assert.That(client.RemoteEndPoint, Is.Null);
        Assert.That(client.LocalEndPoint, Is.Null);
        AssertNotReady(client, Interest.Connect | Interest.Read | Interest.Write);
    }

    [Test]
    public void Backlog_TakesOneMore_AndLeavesTheRestConnecting([Values(0, 1, 3)] int backlog)
    {
        Handle listener = Full(backlog);
        Handle late = Connecting(listener.LocalEndPoint!);
        Settle();
        AssertNotReady(late, Interest.Connect);
        Assert.That(late.TakeError(), Is.EqualTo(SocketError.Success));

        Accept(listener);
        WaitFor(late, Interest.Connect);
        Assert.That(late.TakeError(), Is.EqualTo(SocketError.Success));
        Assert.That(late.RemoteEndPoint, Is.EqualTo(listener.LocalEndPoint));
    }

    [Test]
    public void Connect_ToItself_IsConnected()
    {
        Handle handle = NewStream();
        Assert.That(handle.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));
        EndPoint own = handle.LocalEndPoint!;
        Assert.That(handle.Connect(own), Is.EqualTo(SocketError.WouldBlock));
        WaitFor(handle, Interest.Connect);

        Assert.That(handle.TakeError(), Is.EqualTo(SocketError.Success));
        Assert.That((handle.LocalEndPoint, handle.RemoteEndPoint), Is.EqualTo((own, own)));
        SendAll(handle, [1, 2, 3]);
        Assert.That(ReceiveAll(handle, 3), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(handle.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveNothing(handle), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Connect_FromABoundAddress_KeepsIt([Values] bool any)
    {
        Handle listener = Listening();
        Handle client = NewStream();
        SocketError error = client.Bind(any ? new IPEndPoint(IPAddress.Any, 0) : AnyLoopbackPort);
        Assert.That(error, Is.EqualTo(SocketError.Success));
        int port = ((IPEndPoint)client.LocalEndPoint!).Port;

        client.Connect(listener.LocalEndPoint!);
        WaitFor(client, Interest.Connect);

        Assert.That(client.LocalEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.Loopback, port)));
        Assert.That(Accept(listener).RemoteEndPoint, Is.EqualTo(client.LocalEndPoint));
    }

    [Test]
    public void Connect_ToAnotherFamily_IsNotSupported() => Assert.That(
        NewStream().Connect(new IPEndPoint(IPAddress.IPv6Loopback, 1)),
        Is.EqualTo(SocketError.AddressFamilyNotSupported));

    /// <summary>A listener whose backlog is full.</summary>
    private Handle Full(int backlog)
    {
        Handle listener = Listening(backlog);
        for (int i = 0; i <= backlog; i++)
        {
            Connected(listener);
        }

        return listener;
    }

    private Handle Refused()
    {
        Handle listener = Listening();
        EndPoint nobody = listener.LocalEndPoint!;
        listener.Close();
        Handle client = Connecting(nobody);
        WaitFor(client, Interest.Connect);
        return client;
    }
}
