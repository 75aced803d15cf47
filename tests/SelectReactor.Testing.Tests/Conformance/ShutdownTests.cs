using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>The end of a stream: shutdown, close, and what is left of the other direction.</summary>
public sealed class ShutdownTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void End_ComesAfterTheBytes_AndStays([Values] bool close)
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1, 2, 3]);
        if (close)
        {
            client.Close();
        }
        else
        {
            Assert.That(client.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));
        }

        Assert.That(ReceiveAll(server, 3), Is.EqualTo(new byte[] { 1, 2, 3 }));
        for (int i = 0; i < 3; i++)
        {
            WaitFor(server, Interest.Read | Interest.Write);
            Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
        }

        Assert.That(server.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void HalfClose_LeavesTheOtherDirection()
    {
        (Handle client, Handle server) = Pair();
        Assert.That(client.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));

        SendAll(server, [4, 5]);
        Assert.That(ReceiveAll(client, 2), Is.EqualTo(new byte[] { 4, 5 }));
        AssertNotReady(client, Interest.Read);

        Assert.That(server.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Send_AfterOwnShutdown_IsShutdown()
    {
        (Handle client, Handle server) = Pair();
        client.Shutdown(SocketShutdown.Send);

        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
        Assert.That(SendGathered(client, out int sent, [1]), Is.EqualTo(SocketError.Shutdown));
        Assert.That(sent, Is.Zero);
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        WaitFor(client, Interest.Write);
        AssertNotReady(client, Interest.Read);
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void EmptySend_AfterOwnShutdown_IsShutdown()
    {
        Handle client = Pair().Client;
        client.Shutdown(SocketShutdown.Send);

        Assert.That(SendNothing(client), Is.EqualTo(SocketError.Shutdown));
    }

    [Test]
    public void Shutdown_Twice_IsSuccess()
    {
        (Handle client, Handle server) = Pair();

        Assert.That(client.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));
        Assert.That(client.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));

        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Shutdown_OfReceiving_EndsItHere_AndLeavesSending()
    {
        (Handle client, Handle server) = Pair();

        Assert.That(client.Shutdown(SocketShutdown.Receive), Is.EqualTo(SocketError.Success));

        WaitFor(client, Interest.Read);
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
        SendAll(client, [1]);
        Assert.That(ReceiveAll(server, 1), Is.EqualTo(new byte[] { 1 }));
        AssertNotReady(server, Interest.Read);
    }

    [Test]
    public void Shutdown_OfReceiving_StillGivesWhatArrives()
    {
        (Handle client, Handle server) = Pair();
        client.Shutdown(SocketShutdown.Receive);
        SendAll(server, [1, 2]);
        Settle();

        Assert.That(ReceiveAll(client, 2), Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Shutdown_OfBoth_SendsTheEnd()
    {
        (Handle client, Handle server) = Pair();

        Assert.That(client.Shutdown(SocketShutdown.Both), Is.EqualTo(SocketError.Success));

        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
        Assert.That(Send(client), Is.EqualTo(SocketError.Shutdown));
    }

    [Test]
    public void BothEnded_IsReadyForAll_AndSaysSo([Values] bool first)
    {
        (Handle client, Handle server) = Pair();
        Handle handle = first ? client : server;
        Assert.That(handle.RemoteEndPoint, Is.Not.Null);
        client.Shutdown(SocketShutdown.Send);
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
        server.Shutdown(SocketShutdown.Send);
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
        Settle();

        WaitFor(handle, Interest.Read | Interest.Write | Interest.Connect);
        Assert.That(ReceiveNothing(handle), Is.EqualTo(SocketError.Success));
        Assert.That(Send(handle), Is.EqualTo(SocketError.Shutdown));
        Assert.That(handle.TakeError(), Is.EqualTo(SocketError.Success));
        Assert.That(handle.Shutdown(SocketShutdown.Both), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void BothEnded_Abort_IsNoReset()
    {
        (Handle client, Handle server) = Pair();
        client.Shutdown(SocketShutdown.Send);
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
        server.Shutdown(SocketShutdown.Send);
        Settle();
        server.Abort();
        Settle();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Close_WithBytesThatNobodyRead_DeliversThemAll()
    {
        (Handle client, Handle server) = Pair();
        int sent = Fill(client);
        client.Close();

        Assert.That(ReceiveAll(server, sent), Has.Length.EqualTo(sent));
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Close_AfterAllWasRead_IsAnEnd_AndNoReset()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1]);
        Assert.That(ReceiveAll(server, 1), Is.EqualTo(new byte[] { 1 }));
        server.Close();

        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
        Assert.That(ReceiveNothing(client), Is.EqualTo(SocketError.Success));
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Close_OfBothEnds_OneAfterTheOther_IsNoReset()
    {
        (Handle client, Handle server) = Pair();
        client.Close();
        Assert.That(ReceiveNothing(server), Is.EqualTo(SocketError.Success));
        server.Close();

        Assert.That((client.IsClosed, server.IsClosed), Is.EqualTo((true, true)));
    }
}
