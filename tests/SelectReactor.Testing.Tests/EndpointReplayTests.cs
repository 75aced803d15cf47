using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Testing.Tests;

/// <summary>Servers and clients that are set up with await are the same run for the same seed.</summary>
public sealed class EndpointReplayTests
{
    private const int Clients = 5;

    [Test]
    public void ListenAsyncAndConnectAsync_AreTheSameRunEachTime([Range(1, 5)] int seed)
    {
        ulong[] hashes = [.. Enumerable.Range(0, 50).Select(_ => SimulatedNetwork.Try(seed, SetUp))];

        Assert.That(hashes.Distinct(), Has.Exactly(1).Items);
    }

    [Test]
    public void TheOrder_IsThatOfTheCalls()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        SimulatedHost host = network.AddHost("host");
        List<string> order = [];
        host.Reactor.Post(() =>
        {
            _ = Await(host.Reactor.ListenAsync(host.EndPoint(1), new Support.Echo()), "first listener");
            host.Reactor.Post(() => order.Add("post"));
            _ = Await(host.Reactor.ListenAsync(host.EndPoint(2), new Support.Echo()), "second listener");
            _ = Await(host.Reactor.ListenAsync(host.EndPoint(1), new Support.Echo()), "refused listener");
            order.Add("calls");
        });
        network.RunUntil(() => order.Count == 5);

        Assert.That(
            order, Is.EqualTo(new[] { "calls", "first listener", "post", "second listener", "refused listener" }));

        async Task Await(Task<Listener> listening, string name)
        {
            await ((Task)listening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            order.Add(name);
        }
    }

    [Test]
    public void AHandlerlessClient_LosesNothing_WhateverTheNetwork([Range(1, 30)] int seed) =>
        SimulatedNetwork.Try(seed, static network =>
        {
            SimulatedHost server = network.AddHost("server");
            SimulatedHost client = network.AddHost("client");
            byte[] sent = [.. Enumerable.Range(0, 20_000).Select(static i => (byte)(i * 31))];
            server.Reactor.Listen(
                server.EndPoint(7), async (connection, _) => await connection.Output.WriteAsync(sent));
            byte[]? got = null;
            client.Reactor.Post(async () =>
            {
                Connection connection = await client.Reactor.ConnectAsync(server.EndPoint(7));
                await Task.Delay(TimeSpan.FromSeconds(network.Random.Next(3)), network.Clock);
                got = await ReadToEnd(connection);
                await connection.DisposeAsync();
            });
            network.RunUntil(() => got is not null);
            network.RunUntilIdle();

            Assert.That(got, Is.EqualTo(sent));
            Assert.That(server.Reactor.Connections, Is.Empty);
        });

    private static void SetUp(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        int done = 0;
        Listener? listener = null;
        server.Reactor.Post(async () =>
        {
            listener = await server.Reactor.ListenAsync(
                server.EndPoint(7),
                async (connection, _) => await connection.Output.WriteAsync(await ReadToEnd(connection)));
            network.Note("listening");
            for (int i = 0; i < Clients; i++)
            {
                client.Reactor.Post(TalkAsync);
            }
        });
        network.RunUntil(() => done == Clients);
        server.Reactor.Post(async () =>
        {
            await listener!.StopAcceptingAsync();
            network.Note("closed");
            await listener.Drained;
            network.Note("drained");
            done++;
        });
        network.RunUntil(() => done == Clients + 1);
        network.RunUntilIdle();

        async void TalkAsync()
        {
            Connection connection = done % 2 == 0
                ? await client.Reactor.ConnectAsync(server.EndPoint(7))
                : await client.Reactor.ConnectAsync(server.EndPoint(7)).ConfigureAwait(false);
            network.Note($"connected {connection.Id}");
            byte[] sent = new byte[network.Random.Next(5000)];
            await connection.Output.WriteAsync(sent);
            connection.CloseOutput();
            Assert.That((await ReadToEnd(connection)).Length, Is.EqualTo(sent.Length));
            await connection.DisposeAsync();
            network.Note($"done {++done}");
        }
    }

    private static async Task<byte[]> ReadToEnd(Connection connection)
    {
        List<byte> all = [];
        while (true)
        {
            ReadResult result = await connection.Input.ReadAsync();
            all.AddRange(result.Buffer.ToArray());
            connection.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return [.. all];
            }
        }
    }
}
