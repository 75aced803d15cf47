using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

public sealed class TestConnectionPairTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Test]
    public async Task ClientAndServer_HaveSaidEverything()
    {
        byte[] bytes = new byte[1_000_000];
        new Random(1).NextBytes(bytes);
        var client = new Sender(bytes);
        using var pair = new TestConnectionPair(client, new Echo());

        Assert.That(client.Received.SequenceEqual(bytes), Is.True);
        Assert.That((await pair.Client.Completion).Kind, Is.EqualTo(CloseKind.Local));
        Assert.That((await pair.Server.Completion).Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void Connections_AreUsedByTheTest_WithRun()
    {
        var client = new Script();
        using var pair = new TestConnectionPair(client, new Echo());
        Assert.That(pair.Client.RemoteEndPoint, Is.EqualTo(pair.Server.LocalEndPoint));
        Assert.That(pair.Server.RemoteEndPoint, Is.EqualTo(pair.Client.LocalEndPoint));
        Assert.That(pair.Server.Reactor, Is.Not.SameAs(pair.Client.Reactor));

        pair.Client.TryWrite("ping"u8);
        pair.Run();
        Assert.That(client.Events, Is.EqualTo(["connected", "read ping"]));
    }

    [Test]
    public void Advance_RunsTheTimersOfBoth()
    {
        var client = new Script();
        var options = new ConnectionOptions { ReadIdleTimeout = 10 * _second };
        using var pair = new TestConnectionPair(client, new ConnectionOptions(), new Script(), options);
        pair.Advance(9.9 * _second);
        Assert.That(pair.Server.State, Is.EqualTo(ConnectionState.Open));

        pair.Advance(0.2 * _second);
        Assert.That(pair.Server.Completion.IsCompleted, Is.True);
        Assert.That(client.Events, Is.EqualTo(["connected", "closed PeerReset"]));
        Assert.That(pair.Clock.Elapsed, Is.EqualTo(10.1 * _second));
    }

    [Test]
    public void AsyncHandler_MeetsACallbackHandler()
    {
        var client = new Script();
        using var pair = new TestConnectionPair(client, new Greeter(_second));
        pair.Client.TryWrite("Ada\n"u8);
        pair.Advance(_second);

        Assert.That(
            client.Events, Is.EqualTo(["connected", "read Who? ", "read Hello, Ada!", "ended", "closed PeerClosed"]));
    }

    [Test]
    public void Faults_OfEither_AreThrown()
    {
        var error = new InvalidDataException();
        var faulty = new Script { Readable = _ => throw error };

        Assert.That(() => new TestConnectionPair(new Sender([1]), faulty), Throws.Exception.SameAs(error));
        Assert.That(() => new TestConnectionPair(faulty, new Sender([1])), Throws.Exception.SameAs(error));
    }

    [Test]
    public void TwoWhoNeverStop_AreFound() => Assert.That(
        static () => new TestConnectionPair(
            new Script { Connected = static connection => connection.TryWrite("x"u8), Readable = Answer },
            new Script { Readable = Answer }),
        Throws.InstanceOf<SimulationException>());

    [Test]
    public void Dispose_ClosesBoth()
    {
        var client = new Script();
        var server = new Script();
        var pair = new TestConnectionPair(client, server);
        pair.Dispose();
        pair.Dispose();

        Assert.That(client.Events[^1], Is.EqualTo("closed ReactorStopped"));
        Assert.That(server.Events[^1], Is.EqualTo("closed ReactorStopped"));
        Assert.That(pair.Run, Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void NullArguments_AreRefused()
    {
        var handler = new Script();
        var options = new ConnectionOptions();
        Assert.That(() => new TestConnectionPair(null!, handler), Throws.ArgumentNullException);
        Assert.That(() => new TestConnectionPair(handler, null!), Throws.ArgumentNullException);
        Assert.That(() => new TestConnectionPair(handler, null!, handler, options), Throws.ArgumentNullException);
        Assert.That(() => new TestConnectionPair(handler, options, handler, null!), Throws.ArgumentNullException);
    }

    private static void Answer(Connection connection)
    {
        Script.ReadText(connection);
        connection.TryWrite("x"u8);
    }
}
