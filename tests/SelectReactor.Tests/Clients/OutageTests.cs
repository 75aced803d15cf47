using SelectReactor.Testing;

namespace SelectReactor.Tests.Clients;

/// <summary>Ten thousand clients lose their server at the same moment.</summary>
public sealed class OutageTests
{
    private const int Clients = 10_000;
    private static readonly TimeSpan _slot = TimeSpan.FromMilliseconds(100);

    /// <summary>With full jitter no tenth of a second has more than a few times its share of the attempts, neither
    /// those that fail nor those that succeed at last.</summary>
    [Test]
    public void ManyClients_DoNotComeBackInStep()
    {
        SimulatedNetworkOptions options = SimulatedNetworkOptions.Ideal;
        options.MaxDescriptors = Clients + 10;
        options.MaxSteps = long.MaxValue;
        using var network = new SimulatedNetwork(seed: 13, options);
        SimulatedHost server = network.AddHost("server");
        SimulatedHost host = network.AddHost("clients");
        Listener listener = server.Reactor.Listen(server.EndPoint(7), new Silent());
        var random = new Random(13);
        List<TimeSpan> attempts = [];
        int connected = 0;
        for (int i = 0; i < Clients; i++)
        {
            var client = new ReconnectingClient(host.Reactor, server.EndPoint(7), new Silent(), new ReconnectOptions
            {
                BaseDelay = TimeSpan.FromSeconds(1),
                MaxDelay = TimeSpan.FromSeconds(20),
                Random = random,
            });
            client.Attempting += _ => attempts.Add(network.Clock.Elapsed);
            client.Connected += _ => connected++;
            client.Lost += _ => connected--;
            client.Start();
        }

        network.RunUntil(() => connected == Clients);
        network.RunFor(TimeSpan.FromSeconds(10));
        attempts.Clear();

        // The outage: forty seconds without a server.
        listener.Dispose();
        network.Reset(host, server);
        network.RunFor(TimeSpan.FromSeconds(40));
        Assert.That(connected, Is.Zero);
        TimeSpan back = network.Clock.Elapsed;
        server.Reactor.Listen(server.EndPoint(7), new Silent());
        network.RunUntil(() => connected == Clients);
        TimeSpan end = network.Clock.Elapsed;

        // At the maximum, 10,000 clients make about 1,000 attempts a second: 100 in each slot.
        int[] late = Slots(attempts, back - TimeSpan.FromSeconds(15), back);
        Assert.That(late.Max(), Is.LessThan(2 * late.Average()), $"attempts in {_slot}, at the maximum delay");
        Assert.That(late.Min(), Is.GreaterThan(late.Average() / 2));

        // The return of the server: over all of the longest delay, and at no time more than a few times its share.
        int[] returning = Slots(attempts, back, end);
        Assert.That(end - back, Is.GreaterThan(TimeSpan.FromSeconds(15)));
        Assert.That(returning.Max(), Is.LessThan(Clients / 50), "of 10,000 in a tenth of a second");
        TestContext.Out.WriteLine(
            $"at the maximum {late.Min()} to {late.Max()} attempts in {_slot.TotalMilliseconds} ms, mean "
            + $"{late.Average():F0}; at the return at most {returning.Max()}, over {(end - back).TotalSeconds:F1} s");
    }

    private static int[] Slots(List<TimeSpan> times, TimeSpan from, TimeSpan to)
    {
        int[] slots = new int[(int)((to - from) / _slot) + 1];
        foreach (TimeSpan time in times.Where(time => time >= from && time < to))
        {
            slots[(int)((time - from) / _slot)]++;
        }

        return slots[..^1];
    }

    private sealed class Silent : ConnectionHandler
    {
        public override void OnReadable(Connection connection)
        {
        }
    }
}
