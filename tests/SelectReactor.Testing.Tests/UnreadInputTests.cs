using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>An end while input lies in the system that the handler has not read.</summary>
public sealed class UnreadInputTests : TwoHosts
{
    [Test]
    public void ThePeerReceivesAllThatTheSystemHasTaken([Values("shutdown", "dispose", "linger zero")] string how)
    {
        Connection? served = null;
        var server = new Script
        {
            Connected = connection =>
            {
                served = connection;
                connection.PauseReading();
            },
        };
        TimeSpan linger = how == "linger zero" ? TimeSpan.Zero : Second;
        Server.Reactor.Listen(Server.EndPoint(1), server, new ListenerOptions
        {
            Connection = new ConnectionOptions { LingerTimeout = linger },
        });
        int received = 0;
        var client = new Script
        {
            Connected = static connection =>
            {
                connection.TryWrite("unread"u8);
                connection.PauseReading();
            },
            Readable = connection => received += Script.ReadText(connection).Length,
        };
        _ = Client.Reactor.ConnectAsync(Server.EndPoint(1), client);
        Network.RunUntil(() => served is not null);
        Network.RunFor(Second);
        int sent = Network.Options.SendBufferBytes + Network.Options.ReceiveWindowBytes;
        served!.TryWrite(new byte[sent]);
        Network.RunUntil(() => served.QueuedOutputBytes == 0);

        Network.RunFor(Second);
        switch (how)
        {
            case "shutdown":
                Server.Reactor.ShutdownAsync(TimeSpan.Zero);
                break;
            case "dispose":
                Server.Reactor.Dispose();
                break;
            default:
                served.Close();
                break;
        }

        Network.RunFor(Second);
        Assert.That(served.State, Is.EqualTo(ConnectionState.Closed));
        Client.Reactor.Connections.Single().ResumeReading();
        Network.RunFor(Second);

        Assert.That(received, Is.EqualTo(sent));
        Assert.That(client.Events[^2..], Is.EqualTo(new[] { "ended", "closed PeerClosed" }));
    }
}
