using SelectReactor.Testing;

namespace SelectReactor.Soak.Faults;

/// <summary>Clocks that are moved, and timers of every length.</summary>
internal static class ClockFaults
{
    private static readonly TimeSpan _tick = TimeSpan.FromTicks(1);

    private static readonly TimeSpan[] _lengths =
    [
        TimeSpan.Zero,
        _tick,
        TimeSpan.FromMicroseconds(1),
        TimeSpan.FromMicroseconds(999.9),
        TimeSpan.FromMilliseconds(1),
        TimeSpan.FromSeconds(1),
        TimeSpan.FromMinutes(40),
        TimeSpan.FromDays(30),
        TimeSpan.FromDays(400),
    ];

    /// <summary>F34, L10: setting the date, by an hour or years and either way, moves no timer and no
    /// time-out.</summary>
    public static void WallClockSteps(SimulatedNetwork network)
    {
        TimeSpan limit = network.Random.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        var options = new ConnectionOptions { ReadIdleTimeout = limit };
        (TimeSpan opened, TimeSpan ended, TimeSpan fired) = (default, default, default);
        var served = new Recorder
        {
            Connected = _ => opened = network.Clock.Elapsed,
            Ended = (_, _) => ended = network.Clock.Elapsed,
        };
        var calling = new Recorder();
        var pair = new Pair(network, served, calling, options);
        TimeSpan start = network.Clock.Elapsed;
        pair.Client.Reactor.Schedule(limit, () => fired = network.Clock.Elapsed - start);
        for (int i = 0; i < 5; i++)
        {
            network.RunFor(network.Random.UpTo(limit / 4));
            network.Clock.StepWallClock(network.Random.Between(TimeSpan.FromHours(-1), TimeSpan.FromHours(1)));
        }

        network.RunFor(limit);
        Bounds.RequireWithin(fired, limit, limit + Bounds.Slack, "the timer");
        Bounds.RequireWithin(ended - opened, limit, limit + Bounds.Slack, "the time-out");
        network.RunUntil(() => calling.Closed == 1);
        Leaks.None(network);
    }

    /// <summary>F35: timers from nothing to a year and more are never early, and wait without a turn in
    /// between.</summary>
    public static void TimersOfEveryLength(SimulatedNetwork network)
    {
        SimulatedHost host = network.AddHost("host");
        network.RunFor(network.Random.UpTo(TimeSpan.FromHours(1)));
        long before = host.Ticks;
        TimeSpan[] lengths = network.Random.GetItems(_lengths, 8);
        int fired = 0;
        TimeSpan start = network.Clock.Elapsed;
        foreach (TimeSpan length in lengths)
        {
            host.Reactor.Schedule(length, () =>
            {
                fired++;
                Bounds.RequireWithin(
                    network.Clock.Elapsed - start, length, length + Bounds.Slack, $"A timer of {length}");
            });
        }

        network.RunFor(lengths.Max() + Bounds.Slack);
        Require.Equal(fired, lengths.Length);
        Bounds.RequireFewTicks(host, before, useful: lengths.Length);
    }

    /// <summary>Timers fire by the moment at which they are due, ties in the order in which they were scheduled, and
    /// those that were moved or cancelled keep to that.</summary>
    public static void TimersInOrder(SimulatedNetwork network)
    {
        SimulatedHost host = network.AddHost("host");
        var expected = new List<(TimeSpan Due, int Sequence, int Timer)>();
        var fired = new List<int>();
        int sequence = 0;
        ReactorTimer[] timers = [];
        timers = [.. Enumerable.Range(0, 20).Select(i => host.Reactor.Schedule(Note(i), () => Fire(i)))];
        for (int i = 0; i < 10; i++)
        {
            network.RunFor(network.Random.UpTo(TimeSpan.FromMilliseconds(2)));
            Disturb(network.Random.Next(timers.Length));
        }

        // Each of forty may have started another, up to five milliseconds later.
        network.RunFor(TimeSpan.FromMilliseconds(250));
        Require.Equal(expected.Count, 0);
        Require.That(timers.All(static timer => !timer.IsActive), "no timer is left");

        TimeSpan Note(int timer)
        {
            var due = TimeSpan.FromMilliseconds(network.Random.Next(6));
            expected.RemoveAll(each => each.Timer == timer);
            expected.Add((network.Clock.Elapsed + due, sequence++, timer));
            expected.Sort();
            return due;
        }

        void Disturb(int timer)
        {
            if (network.Random.Coin())
            {
                timers[timer].Change(Note(timer));
            }
            else
            {
                timers[timer].Cancel();
                expected.RemoveAll(each => each.Timer == timer);
            }
        }

        void Fire(int timer)
        {
            fired.Add(timer);
            Require.Equal(timer, expected[0].Timer);
            Require.That(expected[0].Due <= network.Clock.Elapsed, "no timer is early");
            expected.RemoveAt(0);
            if (fired.Count < 40 && network.Random.Next(3) == 0)
            {
                Disturb(network.Random.Next(timers.Length));
            }
        }
    }

    /// <summary>F35: after a leap of the clock, as of a machine that slept, what was due is late and not lost, and a
    /// periodic timer leaves out what it missed and keeps to its rhythm.</summary>
    public static void ClockLeaps(SimulatedNetwork network)
    {
        SimulatedHost host = network.AddHost("host");
        TimeSpan period = network.Random.Between(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10));
        TimeSpan leap = network.Random.UpTo(TimeSpan.FromHours(10));
        TimeSpan due = network.Random.UpTo(leap);
        int beats = 0;
        int fired = 0;
        TimeSpan start = network.Clock.Elapsed;
        ReactorTimer beat = host.Reactor.SchedulePeriodic(period, period, () =>
        {
            beats++;
            var late = TimeSpan.FromTicks((network.Clock.Elapsed - start).Ticks % period.Ticks);
            Require.That(beats == 4 || late < Bounds.Slack, "a beat comes in the rhythm");
        });
        host.Reactor.Schedule((3 * period) + due, () => fired++);
        network.RunFor((3 * period) + Bounds.Slack / 2);
        Require.Equal(beats, 3);
        network.Clock.Leap(leap);
        long before = host.Ticks;
        network.RunFor(Bounds.Slack / 4);
        Require.Equal(fired, 1);
        Require.That(beats <= 4 + (leap < period ? 0 : 1), "the beats that were missed are left out");
        network.RunFor(5 * period);
        Require.That(beats is >= 8 and <= 10, "the beats go on");
        Bounds.RequireFewTicks(host, before, useful: 10);
        beat.Cancel();
        Leaks.None(network, listeners: 0);
    }

    /// <summary>A clock that stands still, as under a debugger, fires no timer and turns no loop; connections go
    /// on.</summary>
    public static void ClockStands(SimulatedNetwork network)
    {
        var served = new Recorder { Readable = Recorder.Echo };
        var calling = new Recorder();
        TimeSpan due = network.Random.Between(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        var pair = new Pair(
            network, served, calling, new ConnectionOptions { ReadIdleTimeout = TimeSpan.FromMinutes(2) });
        int fired = 0;
        pair.Server.Reactor.Schedule(due, () => fired++);
        network.RunFor(network.Random.UpTo(due / 2));
        network.Clock.Freeze();
        long before = pair.Server.Ticks;
        calling.Connection.TryWrite("x"u8);
        network.RunFor(due * 10);
        Require.Equal(calling.BytesReceived, due * 10 > 2 * Bounds.OneWay(network) ? 1 : calling.BytesReceived);
        Require.Equal((fired, served.Closed), (0, 0));
        Bounds.RequireFewTicks(pair.Server, before, useful: 40);
        network.Clock.Resume();
        network.RunFor(due + Bounds.Slack);
        Require.Equal(fired, 1);
        calling.Connection.Close();
        network.RunUntil(() => served.Closed == 1 && calling.Closed == 1);
        Leaks.None(network);
    }
}
