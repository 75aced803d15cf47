namespace SelectReactor.Testing.Tests.Guide;

/// <summary>The unit tests of docs/testing.md.</summary>
public sealed class OneHandlerTests
{
    [Test]
    public void Ping_IsAnswered()
    {
        using var connection = new TestConnection(new PingHandler());
        connection.Receive("PING\r\n"u8);
        Assert.That(connection.TakeSentText(), Is.EqualTo("+PONG\r\n"));

        connection.EndInput();
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void Ping_IsAnswered_WhereverThePiecesEnd([Range(1, 12)] int pieceSize)
    {
        using var connection = new TestConnection(new PingHandler());
        connection.ReceiveInPieces("PING\r\nPING\r\n"u8, pieceSize);
        Assert.That(connection.TakeSentText(), Is.EqualTo("+PONG\r\n+PONG\r\n"));
    }

    [Test]
    public void SilentClient_IsClosed()
    {
        var options = new ConnectionOptions { ReadIdleTimeout = TimeSpan.FromMinutes(1) };
        using var connection = new TestConnection(new PingHandler(), options);
        connection.Advance(TimeSpan.FromSeconds(59));
        Assert.That(connection.IsClosed, Is.False);

        connection.Advance(TimeSpan.FromSeconds(1));
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.TimedOut));
    }

    [Test]
    public void ClientThatNeverReads_IsNotServedForEver()
    {
        byte[] pings = [.. Enumerable.Repeat("PING\r\n"u8.ToArray(), 100_000).SelectMany(static ping => ping)];
        using var connection = new TestConnection(new PingHandler());
        connection.PeerReads = false;
        connection.Receive(pings);
        Assert.That(connection.Connection.QueuedOutputBytes, Is.LessThan(256 * 1024));

        connection.PeerReads = true;
        Assert.That(connection.TakeSent(), Has.Length.EqualTo(100_000 * "+PONG\r\n".Length));
    }

    [Test]
    public async Task ClientAndServer_UnderstandEachOther()
    {
        var client = new Pinger(count: 3);
        using var pair = new TestConnectionPair(client, new PingHandler());
        Assert.That(client.Pongs, Is.EqualTo(3));
        Assert.That((await pair.Server.Completion).Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void Relay_SendsToAllOthers()
    {
        using var server = new TestServer(new RelayHandler());
        TestConnection ann = server.Connect(), bob = server.Connect(), slow = server.Connect(peerReads: false);
        ann.ReceiveText("hello");

        Assert.That(bob.TakeSentText(), Is.EqualTo("hello"));
        Assert.That(ann.TakeSentText(), Is.Empty);
        slow.PeerReads = true;
        Assert.That(slow.TakeSentText(), Is.EqualTo("hello"));
    }
}
