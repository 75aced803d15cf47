namespace ApplicationNamespace.Tests;

using System.Net;
using SelectReactor;
using SelectReactor.Testing;

// The client runs against a simple server on a simulated network: no socket, no thread, and no waiting, since the time
// is the network's own.
public class MessageClientTests
{
    // A hundred networks, each with other delays, losses and sizes of packets. When one fails, the message names its
    // number, and SimulatedNetwork.Replay runs it again.
    [Test]
    public void Answers_BelongToTheirQuestions_OnAnyNetwork() => SimulatedNetwork.Explore(100, static network =>
    {
        MessageClient client = Connect(network, new EchoHandler());
        string[] questions = ["one", "two", "three"];
        Task<string>[] answers = [.. questions.Select(question => client.AskAsync(question))];

        Assert.That(answers.Select(answer => Result(network, answer)), Is.EqualTo(questions));
    });

    [Test]
    public void Client_ComesBack_AfterALoss()
    {
        using var network = new SimulatedNetwork(seed: 1);
        MessageClient client = Connect(network, new EchoHandler());
        Assert.That(Result(network, client.AskAsync("before")), Is.EqualTo("before"));

        network.Reset(network.Hosts[0], network.Hosts[1]);
        network.RunFor(TimeSpan.FromSeconds(1));
        Assert.That(Result(network, client.AskAsync("after")), Is.EqualTo("after"));
    }

    [Test]
    public void SilentServer_MakesARequestTimeOut()
    {
        using var network = new SimulatedNetwork(seed: 1);
        MessageClient client = Connect(network, new SilentHandler());
        Task<string> answer = client.AskAsync("hello");
        network.RunFor(MessageClient.RequestTimeout + TimeSpan.FromSeconds(1));

        Assert.That(answer.Exception?.InnerException, Is.InstanceOf<TimeoutException>());
    }

    private static MessageClient Connect(SimulatedNetwork network, IConnectionHandler handler)
    {
        SimulatedHost server = network.AddHost("server"), host = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7007), handler);
        return new MessageClient(host.Reactor, new DnsEndPoint("server", 7007));
    }

    private static string Result(SimulatedNetwork network, Task<string> answer)
    {
        network.RunUntil(() => answer.IsCompleted);
        return answer.GetAwaiter().GetResult();
    }

    private sealed class EchoHandler() : MessageHandler<string, string>(Protocol.Decoder, Protocol.Encoder)
    {
        protected override void OnMessage(Connection connection, string message) => Send(connection, message);
    }

    private sealed class SilentHandler() : MessageHandler<string, string>(Protocol.Decoder, Protocol.Encoder)
    {
        protected override void OnMessage(Connection connection, string message)
        {
        }
    }
}
