using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class ListenTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void Accept_WithNobodyThere_IsWouldBlock()
    {
        Handle listener = Listening();

        Assert.That(listener.Accept(out Handle? accepted), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(accepted, Is.Null);
        AssertNotReady(listener, Interest.Read | Interest.Write);
    }

    [Test]
    public void Accept_WithoutListening_IsAnInvalidArgument()
    {
        Handle listener = NewListener();
        Assert.That(listener.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));

        Assert.That(listener.Accept(out Handle? accepted), Is.EqualTo(SocketError.InvalidArgument));
        Assert.That(accepted, Is.Null);
    }

    [Test]
    public void Accept_TakesClientsInTheirOrder()
    {
        Handle listener = Listening();
        EndPoint?[] clients = [.. Enumerable.Range(0, 3).Select(_ =>
        {
            EndPoint? client = Connected(listener).LocalEndPoint;
            Settle();
            return client;
        })];

        EndPoint?[] accepted = [.. clients.Select(_ => Accept(listener).RemoteEndPoint)];

        Assert.That(accepted, Is.EqualTo(clients));
    }

    [Test]
    public void Listener_IsReadable_UntilAllClientsAreTaken()
    {
        Handle listener = Listening();
        Connected(listener);
        Connected(listener);
        WaitFor(listener, Interest.Read);

        Accept(listener);
        WaitFor(listener, Interest.Read);
        Accept(listener);

        AssertNotReady(listener, Interest.Read);
        Assert.That(listener.Accept(out _), Is.EqualTo(SocketError.WouldBlock));
    }

    [Test]
    public void Accepted_HasNothingToReceive_AndCanSend()
    {
        Handle server = Pair().Server;

        Assert.That(server.Receive(new byte[1], out int received), Is.EqualTo(SocketError.WouldBlock));
        Assert.That(received, Is.Zero);
        AssertNotReady(server, Interest.Read);
        WaitFor(server, Interest.Write);
        Assert.That(server.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Accept_OfAClientThatSentAndLeft_GivesItsBytesAndItsEnd()
    {
        Handle listener = Listening();
        Handle client = Connected(listener);
        SendAll(client, [1, 2, 3]);
        client.Close();
        Settle();

        Handle server = Accept(listener);

        Assert.That(ReceiveAll(server, 3), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Accept_OfAClientThatWasReset_LooksAlive_UntilTheFirstReceive()
    {
        Handle listener = Listening();
        Handle client = Connected(listener);
        EndPoint? address = client.LocalEndPoint;
        WaitFor(listener, Interest.Read);
        client.Abort();
        Settle();

        Handle server = Accept(listener);

        Assert.That(server.RemoteEndPoint, Is.EqualTo(address).Or.Null);
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void Close_ResetsTheClientsThatWait()
    {
        Handle listener = Listening();
        Handle client = Connected(listener);
        WaitFor(listener, Interest.Read);

        listener.Close();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void Close_LeavesThoseThatWereTaken()
    {
        (Handle client, Handle server) = Pair();

        SendAll(client, [1]);
        SendAll(server, [2]);

        Assert.That(ReceiveAll(server, 1), Is.EqualTo(new byte[] { 1 }));
        Assert.That(ReceiveAll(client, 1), Is.EqualTo(new byte[] { 2 }));
    }

    [Test]
    public void Listen_Again_SetsTheBacklogAnew()
    {
        Handle listener = Listening(backlog: 0);
        Assert.That(listener.Listen(1), Is.EqualTo(SocketError.Success));

        Connected(listener);
        Connected(listener);
        Accept(listener);
        Accept(listener);
    }

    [Test]
    public void Connect_WhereOneIsBoundAndDoesNotListen_IsRefused()
    {
        Handle bound = NewListener();
        Assert.That(bound.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));
        Handle client = Connecting(bound.LocalEndPoint!);
        WaitFor(client, Interest.Connect);

        Assert.That(client.TakeError(), Is.EqualTo(SocketError.ConnectionRefused));
    }

    [Test]
    public void Listener_OnAnyAddress_IsReachedByLoopback()
    {
        Handle listener = NewListener();
        Assert.That(listener.Bind(new IPEndPoint(IPAddress.Any, 0)), Is.EqualTo(SocketError.Success));
        Assert.That(listener.Listen(1), Is.EqualTo(SocketError.Success));
        var loopback = new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port);
        Handle client = Connecting(loopback);
        WaitFor(client, Interest.Connect);

        Handle server = Accept(listener);

        Assert.That((client.RemoteEndPoint, server.LocalEndPoint), Is.EqualTo((loopback, loopback)));
        Assert.That(listener.LocalEndPoint, Is.EqualTo(new IPEndPoint(IPAddress.Any, loopback.Port)));
    }
}
