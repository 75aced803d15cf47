using CsCheck;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Workloads;

/// <summary>Draws workloads. CsCheck makes those that fail smaller; the soak draws the one that belongs to a
/// seed.</summary>
internal static class WorkloadGen
{
    private const int Hosts = 3;

    private static readonly Gen<PlayerPlan> _player = Gen.Select(
        Gen.Frequency((3, Gen.Const(false)), (1, Gen.Const(true))),
        Gen.Frequency(
            (3, Gen.Int[0, 40]), (3, Gen.Int[0, 3000]), (1, Gen.Int[0, 20_000]), (1, Gen.Int[60_000, 150_000])),
        Gen.Frequency((1, Gen.Int[1, 10]), (2, Gen.Int[1, 5000]), (1, Gen.Int[1, 200_000])),
        Gen.Enum<WriteKind>(),
        Gen.Enum<ReadKind>(),
        Gen.Frequency(
            (6, Gen.OneOf(EndKind.Wait, EndKind.Close, EndKind.CloseOutput)),
            (1, Gen.OneOf(EndKind.Abort, EndKind.Throw))),
        Gen.Int[0, 3000],
        Gen.Select(Gen.Int[0, 300], Gen.Frequency((4, Gen.Const(0)), (1, Gen.Int[1, 3000]))),
        static (isAsync, bytes, chunk, write, read, end, breakAfter, times) =>
            new PlayerPlan(isAsync, bytes, chunk, write, read, end, breakAfter, times.Item1, times.Item2));

    // A header of four bytes always has room, so that each callee learns whose call it is.
    private static readonly Gen<LimitPlan> _limits = Gen.Select(
        Gen.OneOf(Gen.Int[1, 100], Gen.Const(64 * 1024)),
        Gen.OneOf(Gen.Int[1, 5000], Gen.Const(64 * 1024)),
        Gen.Frequency((3, Gen.Const(300_000)), (1, Gen.Int[4, 3000])),
        Gen.Frequency((4, Gen.Const(400_000)), (1, Gen.Int[4, 3000]), (1, Gen.Int[4, 100_000])),
        Gen.OneOf(Gen.Const(LimitPlan.LongLinger), Gen.Int[20, 40]),
        static (mark, pause, input, output, linger) => new LimitPlan(mark, pause, input, output, linger));

    private static readonly Gen<ConnectionPlan> _connection = Gen.Select(
        Gen.Int[0, Hosts - 1],
        Gen.Int[0, 2000],
        Gen.Bool,
        _limits,
        _player,
        _player,
        static (client, start, byName, limits, caller, callee) =>
            new ConnectionPlan(client, start, byName, limits, WithEnd(caller), callee));

    private static readonly Gen<TimerPlan> _timer = Gen.Select(
        Gen.Int[0, 3000],
        Gen.OneOf(Gen.Int[0, 1000], Gen.Int[0, 5_000_000]),
        Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[1, 200])),
        Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[1, 3000])),
        Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[1, 3000])),
        static (start, due, period, change, cancel) => new TimerPlan(start, due, period, change, cancel));

    private static readonly Gen<FaultPlan> _fault = Gen.Select(
        Gen.Int[0, 3000],
        Gen.Enum<FaultKind>(),
        Gen.Int[0, Hosts],
        Gen.OneOf(Gen.Int[0, 100], Gen.Int[0, 90_000]),
        static (at, kind, host, duration) => new FaultPlan(at, kind, host, duration));

    public static Gen<Workload> All { get; } = Gen.Select(
        Gen.Int[1, int.MaxValue - 1],
        _connection.Array[0, 6],
        Gen.Frequency((3, _timer.Array[0, 5]), (1, _timer.Array[20, 60])),
        Gen.Frequency((1, Gen.Const(Array.Empty<FaultPlan>())), (1, _fault.Array[1, 4])),
        static (seed, connections, timers, faults) => Fit(new Workload(seed, connections, timers, faults)));

    /// <summary>The workload of a seed, under the conditions of that seed.</summary>
    public static Workload Of(int seed) =>
        Fit(All.Generate(new PCG(1, (ulong)seed), null, out _) with { Seed = seed });

    // Two that wait for each other's end would wait for ever.
    private static PlayerPlan WithEnd(PlayerPlan plan) =>
        plan.End == EndKind.Wait ? plan with { End = EndKind.Close } : plan;

    // In packets of a few bytes, what is a moment elsewhere takes as many events as a whole day.
    private static Workload Fit(Workload workload)
    {
        var conditions = SimulatedNetworkOptions.Draw(workload.Seed);
        int piece = Math.Min(
            conditions.MaxSegmentBytes, Math.Min(conditions.SendBufferBytes, conditions.ReceiveWindowBytes));
        int max = piece < 1000 ? 2000 : int.MaxValue;
        return workload with
        {
            Connections =
            [
                .. workload.Connections.Select(
                    plan => plan with { Caller = Fit(plan.Caller, max), Callee = Fit(plan.Callee, max) }),
            ],
        };
    }

    private static PlayerPlan Fit(PlayerPlan plan, int maxBytes)
    {
        int bytes = Math.Min(plan.Bytes, maxBytes);
        int minChunk = plan.Write is WriteKind.Trickle or WriteKind.Held
            || plan.Read is ReadKind.Pause or ReadKind.Slow ? bytes / 50 : bytes / 1000;
        return plan with { Bytes = bytes, Chunk = Math.Max(plan.Chunk, minChunk + 1) };
    }
}
