using System.Diagnostics;
using SelectReactor.Testing;
using Spectre.Console;

namespace SelectReactor.Soak;

/// <summary>Runs scenarios on many seeds, one core each, and stops at the first that fails.</summary>
internal static class Soak
{
    public static int Run(IReadOnlyList<Scenario> scenarios, int first, int seeds)
    {
        long start = Stopwatch.GetTimestamp();
        (Scenario Scenario, int Seed, Exception Exception)? failure = null;
        int done = 0;
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(),
                new PercentageColumn(), new RemainingTimeColumn())
            .Start(progress =>
            {
                ProgressTask task = progress.AddTask("seeds", maxValue: seeds);
                (failure, done) = FirstFailure(
                    scenarios, first, seeds, count => Show(task, count, start, scenarios.Count));
            });

        TimeSpan time = Stopwatch.GetElapsedTime(start);
        if (failure is { } found)
        {
            Console.WriteLine($"{found.Scenario}: {found.Exception.Message}");
            Console.WriteLine(
                $"First failing seed: {found.Seed}. "
                + $"See it again: dotnet run -c Release --project tests/SelectReactor.Soak -- "
                + $"--scenarios {found.Scenario} --seed {found.Seed}");
            return 1;
        }

        if (done != seeds)
        {
            Console.WriteLine($"Only {done} of {seeds} seeds were run: that says nothing.");
            return 1;
        }

        Console.WriteLine(
            $"{seeds} seeds, {scenarios.Count} scenarios each, in {time.TotalSeconds:F1} s "
            + $"({seeds / time.TotalSeconds:F0} seeds/s): clean.");
        return 0;
    }

    // Of all that fail the lowest one: what lies below it has run to the end.
    private static ((Scenario Scenario, int Seed, Exception Exception)? Failure, int Done) FirstFailure(
        IReadOnlyList<Scenario> scenarios, int first, int seeds, Action<int> progressed)
    {
        object gate = new();
        int done = 0;
        (Scenario Scenario, int Seed, Exception Exception)? failure = null;
        Parallel.For(first, (long)first + seeds, (number, loop) =>
        {
            int seed = (int)number;
            foreach (Scenario scenario in scenarios)
            {
                try
                {
                    SimulatedNetwork.Try(seed, scenario.Run);
                }
                catch (Exception exception)
                {
                    lock (gate)
                    {
                        failure = failure is { } other && other.Seed < seed ? other : (scenario, seed, exception);
                    }

                    loop.Break();
                    return;
                }
            }

            progressed(Interlocked.Increment(ref done));
        });
        return (failure, done);
    }

    private static void Show(ProgressTask task, int done, long start, int scenarios)
    {
        task.Value = done;
        double rate = done / Stopwatch.GetElapsedTime(start).TotalSeconds;
        task.Description = $"{scenarios} scenarios, {rate:F0} seeds/s";
    }
}
