using System.Net.Sockets;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>Peers that keep their sockets after this side has closed do not use up its descriptors.</summary>
public sealed class LingeringTests : TwoHosts
{
    private const int Descriptors = 10;
    private const int Peers = 100;

    [Test]
    public void ClientsThatKeepTheirSockets_DoNotKeepOthersOut()
    {
        Server.Reactor.Listen(Server.EndPoint(7), AnswerAndClose);
        Server.MaxDescriptors = Descriptors;

        Assert.That(AskAndKeep(), Is.EqualTo(Peers));
        Assert.That(Network.Clock.Elapsed, Is.LessThan(Second), "the listener has not paused");
    }

    [Test]
    public void ClientsThatKeepTheirSockets_DoNotKeepOthersOut_OfAGroup([Values] ClientSharing sharing)
    {
        ReactorGroup group = Server.AddGroup(3, new ReactorGroupOptions { Sharing = sharing });
        Task<GroupListener> listening = group.ListenAsync(Server.EndPoint(7), AnswerAndClose);
        Network.RunUntil(() => listening.IsCompleted);
        Server.MaxDescriptors = Descriptors;

        // A reactor that has none that lingers asks the others, and tries again a second later.
        Assert.That(AskAndKeep(), Is.GreaterThan(Peers / 2));
    }

    [Test]
    public void ServersThatKeepTheirSockets_DoNotKeepFromConnecting()
    {
        Server.Reactor.Listen(Server.EndPoint(7), static _ => new Silent());
        Client.MaxDescriptors = Descriptors;
        for (int i = 0; i < Peers; i++)
        {
            Task<Connection> connecting = Client.Reactor.ConnectAsync(Server.EndPoint(7), AnswerAndClose);
            Network.RunUntil(() => connecting.IsCompleted);
            Assert.That(connecting.Exception?.Message, Is.Null, $"connection {i}");
        }

        Assert.That(Network.Clock.Elapsed, Is.LessThan(Second));
    }

    private static Talker AnswerAndClose(Connection connection) => new();

    // How many have their answer, whole and with its end.
    private int AskAndKeep()
    {
        int answered = 0;
        byte[] buffer = new byte[10];
        for (int i = 0; i < Peers; i++)
        {
            Handle client = Client.Handles.CreateStream(Server.Address.AddressFamily);
            client.Connect(Server.EndPoint(7));
            Network.RunFor(0.005 * Second);
            client.Receive(buffer, out int received);
            bool isWhole = received == 3
                && client.Receive(buffer, out int end) == SocketError.Success
                && end == 0;
            answered += isWhole ? 1 : 0;
        }

        return answered;
    }

    private sealed class Talker : IConnectionHandler
    {
        public void OnConnected(Connection connection)
        {
            connection.TryWrite("bye"u8);
            connection.Close();
        }

        public void OnReadable(Connection connection)
        {
        }
    }

    /// <summary>Never ends its side.</summary>
    private sealed class Silent : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
        }

        public void OnInputEnded(Connection connection)
        {
        }
    }
}
