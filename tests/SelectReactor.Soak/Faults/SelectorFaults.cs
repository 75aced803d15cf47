using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Selectors that refuse to watch a handle for something else.</summary>
internal static class SelectorFaults
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(1);

    /// <summary>A refusal costs at most the connection that it is about. The loop runs on, the others are served, and
    /// the listener accepts again after its pause.</summary>
    public static void RefusedInterest(SimulatedNetwork network)
    {
        const int Count = 3;
        const int Bytes = 400;
        SimulatedHost server = network.AddHost("server", new ReactorOptions { Logger = NullLogger.Instance });
        SimulatedHost client = network.AddHost("client");
        var served = new Recorder { Readable = Recorder.Echo };
        var options = new ListenerOptions
        {
            Connection = new ConnectionOptions { SendBufferBytes = 100 },
            MaxConnections = Count,
            WhenFull = WhenFull.Pause,
        };
        server.Reactor.Listen(server.EndPoint(7), served, options);
        Recorder[] calling = [.. Enumerable.Range(0, Count).Select(_ => new Recorder())];
        int refusals = network.Random.Next(1, 4);
        network.Schedule(
            network.Random.UpTo(4 * Bounds.OneWay(network)), () => server.SelectorUpdatesToFail = refusals);
        foreach (Recorder each in calling)
        {
            client.Reactor.ConnectAsync(server.EndPoint(7), each);
        }

        network.RunFor(4 * Bounds.Connect(network));
        network.RunFor(refusals * _retry);
        Array.ForEach(calling, static each => Write(each));
        network.RunFor((refusals * _retry) + TimeSpan.FromMinutes(1));
        server.SelectorUpdatesToFail = 0;

        // A connection that is refused before it is open has no reason.
        int cut = calling.Count(static each => each.Closed == 1);
        Require.That(cut <= refusals, "a refusal costs one connection at most");
        Require.That(
            served.Reasons.All(static reason => reason is { Kind: CloseKind.Aborted, Error: IOException }),
            "the refusal is the reason");
        Require.Equal(
            calling.Count(static each => each.BytesReceived == Bytes), Count - cut, "connections that are served");

        foreach (Recorder each in calling.Where(static each => each.Closed == 0))
        {
            each.Connection.Close();
        }

        network.RunUntil(() => served.Closed == served.Connections);
        var late = new Recorder();
        client.Reactor.ConnectAsync(server.EndPoint(7), late);
        network.RunFor((2 * _retry) + Bounds.Connect(network));
        Write(late);
        network.RunUntil(() => late.BytesReceived == Bytes);
        late.Connection.Close();
        network.RunUntil(() => served.Closed == served.Connections && late.Closed == 1);
        Leaks.None(network);

        static void Write(Recorder recorder)
        {
            if (recorder.Connections == 1 && recorder.Closed == 0)
            {
                recorder.Connection.TryWrite(new byte[Bytes]);
            }
        }
    }
}
