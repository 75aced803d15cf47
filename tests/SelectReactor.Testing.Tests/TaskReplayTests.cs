using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Testing.Tests;

/// <summary>Tasks of the library and of the network's clock continue on the network's thread, so that code that waits
/// for them replays.</summary>
public sealed class TaskReplayTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Test]
    public void TasksOnTheNetwork_AreTheSameRunEachTime([Range(1, 5)] int seed)
    {
        ulong[] hashes = [.. Enumerable.Range(0, 100).Select(_ => SimulatedNetwork.Try(seed, Talk))];

        Assert.That(hashes.Distinct(), Has.Exactly(1).Items);
    }

    [Test]
    public void DelayThatEndsInsideACallback_ContinuesOnTheNetworksThread()
    {
        using var network = new SimulatedNetwork(1);
        SimulatedHost host = network.AddHost("host");
        int thread = 0;
        async Task WaitAsync()
        {
            await Task.Delay(_second, network.Clock).ConfigureAwait(false);
            thread = Environment.CurrentManagedThreadId;
        }

        Task waiting = WaitAsync();
        host.Reactor.Post(() => host.Spend(2 * _second));
        network.RunFor(3 * _second);

        Assert.That(waiting.IsCompleted);
        Assert.That(thread, Is.EqualTo(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void TimersThatOtherThreadsEnd_DoNoHarm()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        SimulatedClock clock = network.Clock;
        bool isOver = false;
        int fired = 0;
        var others = Task.Run(() =>
        {
            int made = 0;
            while (!Volatile.Read(ref isOver) || made == 0)
            {
                using ITimer one = clock.CreateTimer(static _ => { }, null, _second, _second);
                using ITimer other = clock.CreateTimer(static _ => { }, null, TimeSpan.Zero, TimeSpan.Zero);
                one.Change(2 * _second, Timeout.InfiniteTimeSpan);
                made++;
            }
        });
        using ITimer beat = clock.CreateTimer(_ => fired++, null, _second, _second);
        for (int i = 0; i < 500; i++)
        {
            network.RunFor(_second);
            clock.Leap(TimeSpan.Zero);
        }

        Volatile.Write(ref isOver, true);
        Assert.That(async () => await others, Throws.Nothing);
        Assert.That(fired, Is.EqualTo(500));
    }

    [Test]
    public void TimersRunInTheContextOfTheCodeThatMadeThem()
    {
        using var network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        var local = new AsyncLocal<string> { Value = "maker" };
        string? seen = null;
        using ITimer timer = network.Clock.CreateTimer(
            _ => seen = local.Value, null, _second, Timeout.InfiniteTimeSpan);
        local.Value = "runner";
        network.RunFor(2 * _second);

        Assert.That(seen, Is.EqualTo("maker"));
        Assert.That(local.Value, Is.EqualTo("runner"));
    }

    private static void Talk(SimulatedNetwork network)
    {
        SimulatedHost server = network.AddHost("server");
        SimulatedHost client = network.AddHost("client");
        server.Reactor.Listen(server.EndPoint(7), new Support.Echo());
        var talker = new Talker(network);
        client.Reactor.ConnectAsync(server.EndPoint(7), talker);
        network.RunUntil(() => talker.IsOver);
        network.RunUntilIdle();
        Assert.That(talker.Steps, Is.EqualTo(8));
    }

    /// <summary>Waits in all the ways that a library may wait: with a time limit, without a context, for its own
    /// end.</summary>
    private sealed class Talker(SimulatedNetwork network) : AsyncConnectionHandler
    {
        private readonly int _thread = Environment.CurrentManagedThreadId;

        public int Steps { get; private set; }

        public bool IsOver { get; private set; }

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            Reactor reactor = connection.Reactor;
            await using (connection)
            {
                await connection.Output.WriteAsync(new byte[300]).AsTask().WaitAsync(_second, network.Clock);
                Note("written");
                ReadResult result = await connection.Input.ReadAsync().AsTask().WaitAsync(
                    TimeSpan.FromMinutes(5), network.Clock);
                connection.Input.AdvanceTo(result.Buffer.End);
                Note("read");
                await TimeOutAsync(connection);
                int answer = await reactor.InvokeAsync(() => network.Random.Next());
                Note($"invoked {answer}");
                await reactor.InvokeAsync(static () => 1).ConfigureAwait(false);
                Note("invoked without a context");
                await Task.Delay(_second, network.Clock).ConfigureAwait(false);
                Note("delayed without a context");
                await Task.WhenAny(connection.Completion, Task.Delay(_second, network.Clock)).ConfigureAwait(false);
                Note("raced");
            }

            Note("disposed");
            IsOver = true;
        }

        private async Task TimeOutAsync(Connection connection)
        {
            try
            {
                await connection.Completion.WaitAsync(_second, network.Clock).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                Note("timed out");
            }
        }

        private void Note(string text)
        {
            Steps++;
            Assert.That(Environment.CurrentManagedThreadId, Is.EqualTo(_thread), text);
            network.Note(text);
        }
    }
}
