namespace ApplicationNamespace.Tests;

using System.Buffers;
using System.Net;
using SelectReactor;
using SelectReactor.Testing;

public class MessageServerTests
{
    // One connection in memory: no socket, no thread, and a clock that the test moves.
    [Test]
    public void Messages_AreAnswered_WhereverThePiecesEnd([Range(1, 8)] int pieceSize)
    {
        using var connection = new TestConnection(new ServerHandler());
        connection.ReceiveInPieces(Bytes("one", "two"), pieceSize);

        Assert.That(connection.TakeSent(), Is.EqualTo(Bytes("one", "two")));
    }

    [Test]
    public void MessageThatIsTooLong_EndsTheConnection()
    {
        using var connection = new TestConnection(new ServerHandler());
        connection.Receive(Bytes(new string('x', Protocol.MaxMessageBytes + 1)));

        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.LimitExceeded));
    }

    [Test]
    public void SilentClient_IsDisconnected()
    {
        using var server = new TestServer();
        MessageServer.Listen(server.Reactor, server.EndPoint);
        TestConnection client = server.Connect();
        client.Receive(Bytes("hello"));
        client.Advance(MessageServer.IdleTimeout + TimeSpan.FromSeconds(1));

        Assert.That(client.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.TimedOut));
    }

    // A server and a client on a hundred networks, each with other delays, losses and sizes of packets. When one
    // fails, the message names its number, and SimulatedNetwork.Replay runs it again.
    [Test]
    public void Client_IsServed_OnAnyNetwork() => SimulatedNetwork.Explore(100, Conversation);

    private static void Conversation(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server"), client = network.AddHost("client");
        MessageServer.Listen(server.Reactor, server.EndPoint(7007));
        string[] questions = ["one", "two", "three"];
        Task<List<string>> answers =
            client.Reactor.InvokeAsync(() => AskAsync(client.Reactor, new DnsEndPoint("server", 7007), questions));

        network.RunUntil(() => answers.IsCompleted);
        Assert.That(answers.GetAwaiter().GetResult(), Is.EqualTo(questions));
    }

    private static async Task<List<string>> AskAsync(Reactor reactor, EndPoint server, string[] questions)
    {
        await using Connection connection = await reactor.ConnectAsync(server);
        List<string> answers = [];
        foreach (string question in questions)
        {
            connection.Send(Protocol.Encoder, question);
            answers.Add(await connection.ReadMessageAsync(Protocol.Decoder));
        }

        return answers;
    }

    private static byte[] Bytes(params string[] messages)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (string message in messages)
        {
            Protocol.Encoder.Encode(message, bytes);
        }

        return bytes.WrittenSpan.ToArray();
    }
}
