using System.Diagnostics;

namespace SelectReactor.Portability;

/// <summary>
/// Runs the cases one after the other, prints a line for each, and ends with the line "N passed, N failed". Each case
/// runs on a thread of its own and has a bound in time, so that one that hangs is reported and the next one runs.
/// </summary>
internal static class Runner
{
    private static readonly TimeSpan _maxTimeOfACase = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _maxTimeOfAll = TimeSpan.FromMinutes(3);

    /// <returns>The exit code: 0 if every case passed.</returns>
    public static int Run(Action[] cases)
    {
        Console.WriteLine($"{Environment.OSVersion.VersionString}, .NET {Environment.Version}");
        int failed = 0;
        var total = Stopwatch.StartNew();
        foreach (Action run in cases)
        {
            string name = $"{run.Method.DeclaringType!.Name}.{run.Method.Name}";
            var watch = Stopwatch.StartNew();
            string? failure = total.Elapsed < _maxTimeOfAll
                ? RunBounded(run)
                : "not run: the time for all cases is up";
            string outcome = failure is null ? "passed" : "FAILED";
            Console.WriteLine($"{outcome} {name} ({watch.ElapsedMilliseconds} ms) {failure}".TrimEnd());
            failed += failure is null ? 0 : 1;
        }

        Console.WriteLine($"{cases.Length - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    /// <returns>What went wrong; null if nothing did.</returns>
    private static string? RunBounded(Action run)
    {
        string? failure = null;
        var thread = new Thread(() => failure = Catch(run)) { IsBackground = true };
        thread.Start();
        return thread.Join(_maxTimeOfACase) ? failure : $"still running after {_maxTimeOfACase.TotalSeconds} seconds";
    }

    private static string? Catch(Action run)
    {
        try
        {
            run();
            return null;
        }
        catch (Exception error)
        {
            // Without the stack trace: wine crashes while it looks for one.
            Exception cause = error.GetBaseException();
            return $"{cause.GetType().Name}: {cause.Message}";
        }
    }
}
