using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>The bytes that the peer's system has taken, whether or not its program has received them.</summary>
public sealed class AcknowledgedBytesTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void Nothing_BeforeAnythingIsSent([Values] bool accepted)
    {
        (Handle client, Handle server) = Pair();

        Assert.That(Acknowledged(accepted ? server : client), Is.Zero);
    }

    [Test]
    public void Bytes_ThatThePeersProgramHasNotReceived_Count([Values] bool accepted)
    {
        (Handle client, Handle server) = Pair();
        (Handle sender, Handle receiver) = accepted ? (server, client) : (client, server);
        SendAll(sender, new byte[40]);
        Settle();

        Assert.That(Acknowledged(sender), Is.EqualTo(40));
        Assert.That(ReceiveAll(receiver, 40), Has.Length.EqualTo(40));
        Assert.That(Acknowledged(receiver), Is.Zero);
    }

    [Test]
    public void Bytes_BeyondThePeersWindow_CountWhenItReads()
    {
        (Handle client, Handle server) = Pair();
        int sent = Fill(client);
        long before = Acknowledged(client);
        Assert.That(before, Is.InRange(1, sent - 1));

        ReceiveAll(server, sent);
        Settle();

        Assert.That(Acknowledged(client), Is.EqualTo(sent));
    }

    [Test]
    public void EndOfTheStream_DoesNotCount([Values] bool both)
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, new byte[7]);
        client.Shutdown(SocketShutdown.Send);
        Settle();
        if (both)
        {
            server.Shutdown(SocketShutdown.Send);
            Settle();
        }

        Assert.That(Acknowledged(client), Is.EqualTo(7));
        Assert.That(Acknowledged(server), Is.Zero);
    }

    [Test]
    public void Reset_LeavesTheBytesThatItDiscards_Unacknowledged()
    {
        (Handle client, Handle server) = Pair();
        int sent = Fill(client);
        server.Abort();
        Settle();

        Assert.That(Acknowledged(client), Is.LessThan(sent));
    }

    [Test]
    public void InputAfterAClose_IsAnsweredByAReset_WhichDiscardsTheQueue()
    {
        (Handle client, Handle server) = Pair();
        int sent = Fill(client);
        client.Close();
        Settle();
        SendAll(server, [1]);
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

    [Test]
    public void ClosedHandle_DoesNotTell()
    {
        Handle client = Pair().Client;
        client.Close();

        Assert.That(client.TryGetAcknowledgedBytes(out long bytes), Is.False);
        Assert.That(bytes, Is.Zero);
    }

    private static long Acknowledged(Handle handle)
    {
        Assert.That(handle.TryGetAcknowledgedBytes(out long bytes), Is.True);
        return bytes;
    }
}
