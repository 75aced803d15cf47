using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Broadcasts to members that read slowly, come, go and break.</summary>
internal static class BroadcastFaults
{
    private const int Clients = 3;
    private const int Messages = 12;

    /// <summary>A member gets whole messages in order, all of them unless it was skipped or cut, and all memory comes
    /// back.</summary>
    public static void Members(SimulatedNetwork network)
    {
        SimulatedHost host = network.AddHost("server");
        var served = new Recorder();
        Dictionary<Connection, List<int>> sent = [];
        List<Connection> slow = [];
        bool aborts = network.Random.Coin();
        var group = new ConnectionGroup(host.Reactor, new ConnectionGroupOptions
        {
            MaxQueuedBytes = network.Random.Next(1, 8_000),
            WhenSlow = aborts ? WhenSlow.Abort : WhenSlow.Skip,
            SlowMember = slow.Add,
        });
        host.Reactor.Listen(host.EndPoint(7), served);
        List<(Connection Served, Recorder Client, List<byte> Received)> members = [];
        for (int i = 0; i < Clients; i++)
        {
            List<byte> bytes = [];
            var client = new Recorder { Readable = reader => bytes.AddRange(Recorder.ReadAll(reader)) };
            network.AddHost($"client{i}").Reactor.ConnectAsync(host.EndPoint(7), client);
            int count = i + 1;
            network.RunUntil(() => served.Connections == count && client.Connections == 1);
            members.Add((served.Connection, client, bytes));
            sent.Add(served.Connection, []);
            Connection joins = served.Connection;
            host.Reactor.Post(() => Require.That(group.Add(joins)));
        }

        network.RunUntilIdle();
        for (int message = 0; message < Messages; message++)
        {
            int number = message;
            host.Reactor.Post(() => Broadcast(number));
            network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(50)));
            Disturb(network, members[network.Random.Next(Clients)].Client.Connection);
        }

        foreach ((_, Recorder member, _) in members)
        {
            if (member.Closed == 0)
            {
                member.Connection.ResumeReading();
            }
        }

        host.Reactor.Post(() => members.ForEach(static member => member.Served.Close()));
        network.RunUntil(() => served.Closed == Clients && members.TrueForAll(static each => each.Client.Closed == 1));
        network.RunUntilIdle();
        foreach ((Connection connection, Recorder client, List<byte> received) in members)
        {
            byte[] expected = [.. sent[connection].SelectMany(number => Of(number))];
            Require.That(received.Count <= expected.Length);
            Require.That(expected.AsSpan(0, received.Count).SequenceEqual(received.ToArray()));
            CloseReason reason = connection.Completion.Result;

            // A client that cuts the connection may have dropped what its system had acknowledged.
            bool isCut = reason.Kind != CloseKind.Local || client.Reason.Kind == CloseKind.Aborted;
            Require.That(isCut || reason.UnsentBytes > 0 || received.Count == expected.Length);
        }

        Require.Equal(host.Reactor.Buffers.Outstanding, 0);

        void Broadcast(int number)
        {
            slow.Clear();
            Connection[] open = [.. group.Where(static member => member.State == ConnectionState.Open)];
            BroadcastResult result = group.Broadcast(Of(number));
            Require.Equal(slow.Count, result.Skipped + result.Aborted);
            Require.Equal(open.Length, result.Sent + slow.Count);
            foreach (Connection member in open.Except(slow))
            {
                sent[member].Add(number);
            }
        }
    }

    // Of many lengths, each byte tells its message.
    private static byte[] Of(int number)
    {
        byte[] bytes = new byte[number % 5 == 0 ? 4500 : (number * 37) + 1];
        Array.Fill(bytes, (byte)(number + 1));
        return bytes;
    }

    private static void Disturb(SimulatedNetwork network, Connection client)
    {
        if (client.State != ConnectionState.Open)
        {
            return;
        }

        switch (network.Random.Next(12))
        {
            case 0:
                client.Reactor.Post(() => client.Abort());
                break;
            case 1 or 2 or 3:
                client.PauseReading();
                break;
            case 4 or 5:
                client.ResumeReading();
                break;
        }
    }
}
