using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class ResetTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void Reset_IsReadyForAll_AndSaidByEachReceive()
    {
        Handle client = WasReset();

        WaitFor(client, Interest.Read | Interest.Write | Interest.Connect);
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        WaitFor(client, Interest.Read | Interest.Write | Interest.Connect);
    }

    [Test]
    public void Reset_IsSaidOnceBySend_AndThenByReceive()
    {
        Handle client = WasReset();

        Assert.That(Send(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Reset_IsSaidOnceByTakeError_AndThenByReceive()
    {
        Handle client = WasReset();

        Assert.That(client.TakeError(), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
    }

    [Test]
    public void Reset_EmptySend()
    {
        Handle client = WasReset();

        Assert.That(SendNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(SendNothing(client), Is.EqualTo(SocketError.Shutdown));
    }

    [Test]
    public void Reset_EmptyReceive()
    {
        Handle client = WasReset();

        Assert.That(client.Receive([], out _), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(client.Receive([], out _), Is.EqualTo(SocketError.Success));
    }

    // To the runtime, which was asked for the end point, it still is connected, and has nothing left to shut down.
    [Test]
    public void Reset_ThenShutdown_IsSuccess([Values] bool accepted, [Values] bool received)
    {
        (Handle client, Handle server) = Pair();
        (Handle handle, Handle peer) = accepted ? (server, client) : (client, server);
        Assert.That(handle.RemoteEndPoint, Is.Not.Null);
        peer.Abort();
        Settle();
        if (received)
        {
            ReceiveNothing(handle);
        }

        Assert.That(handle.Shutdown(SocketShutdown.Both), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Reset_ThenConnect_IsAborted()
    {
        Handle client = WasReset();
        ReceiveNothing(client);

        Assert.That(client.Connect(Listening().LocalEndPoint!), Is.EqualTo(SocketError.ConnectionAborted));
    }

    [Test]
    public void BytesBeforeAReset_AreReadFirst()
    {
        (Handle client, Handle server) = Pair();
        SendAll(server, [1, 2, 3]);
        Settle();
        server.Abort();
        Settle();

        Assert.That(ReceiveAll(client, 3), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void BytesBeforeAReset_SendSaysItFirst()
    {
        (Handle client, Handle server) = Pair();
        SendAll(server, [1, 2, 3]);
        Settle();
        server.Abort();
        Settle();

        Assert.That(Send(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveAll(client, 3), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void EndThenReset_ReceiveSaysReset_AndSendShutdown()
    {
        Handle client = EndedAndReset();

        WaitFor(client, Interest.Read | Interest.Write);
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void EndThenReset_IsAnErrorToTake()
    {
        Handle client = EndedAndReset();

        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Shutdown));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
    }

    [Test]
    public void OwnEndThenReset_ReceiveSaysSo()
    {
        (Handle client, Handle server) = Pair();
        client.Shutdown(SocketShutdown.Send);
        Settle();
        server.Abort();
        Settle();

        Assert.That(Send(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void OwnEndThenReset_ReceiveSaysReset()
    {
        (Handle client, Handle server) = Pair();
        client.Shutdown(SocketShutdown.Send);
        Settle();
        server.Abort();
        Settle();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
    }

    [Test]
    public void OwnInputShut_ThenReset()
    {
        (Handle client, Handle server) = Pair();
        client.Shutdown(SocketShutdown.Receive);
        server.Abort();
        Settle();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void Close_WithUnreadInput_ResetsThePeer()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1]);
        WaitFor(server, Interest.Read);
        server.Close();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void Close_WithUnreadInput_AfterTheOwnEnd_ResetsThePeer_WhichHasSeenTheEnd()
    {
        (Handle client, Handle server) = Pair();
        server.Shutdown(SocketShutdown.Send);
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
        SendAll(client, [1]);
        WaitFor(server, Interest.Read);
        server.Close();
        Settle();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
    }

    [Test]
    public void Close_WithUnreadInput_AndThePeersEnd_ResetsThePeer()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1]);
        client.Shutdown(SocketShutdown.Send);
        Settle();
        server.Close();
        Settle();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void SendToAClosedPeer_IsAnsweredWithAReset()
    {
        (Handle client, Handle server) = Pair();
        server.Close();
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));

        Assert.That(Send(client), Is.EqualTo(SocketError.Success));
        Settle();

        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void SendToAClosedPeer_FreesTheSendBuffer()
    {
        (Handle client, Handle server) = Pair();
        Fill(client);
        server.Close();
        Settle();

        WaitFor(client, Interest.Write);
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
    }

    [Test]
    public void Abort_WithAFullSendBuffer_DiscardsIt()
    {
        (Handle client, Handle server) = Pair();
        int sent = Fill(client);
        client.Abort();
        Settle();

        int received = 0;
        SocketError error;
        byte[] bytes;
        while (((error, bytes) = Receive(server)) is { error: SocketError.Success, bytes.Length: > 0 })
        {
            received += bytes.Length;
        }

        Assert.That(error, Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(received, Is.LessThan(sent));
    }

    private Handle WasReset()
    {
        (Handle client, Handle server) = Pair();
        server.Abort();
        Settle();
        return client;
    }

    private Handle EndedAndReset()
    {
        (Handle client, Handle server) = Pair();
        server.Shutdown(SocketShutdown.Send);
        Settle();
        server.Abort();
        Settle();
        return client;
    }
}
