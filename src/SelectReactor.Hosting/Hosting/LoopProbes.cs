using System.Diagnostics;

namespace SelectReactor.Hosting;

/// <summary>Measures how soon the loops of a group run a callback. Any thread.</summary>
internal sealed class LoopProbes(ReactorGroup group)
{
    private readonly Task<TimeSpan>[] _probes =
        [.. group.Reactors.Select(static _ => Task.FromResult(TimeSpan.Zero))];

    /// <summary>Asks all loops, except those that still owe an answer: the probes of a blocked one would pile
    /// up.</summary>
    /// <returns>For each loop a task with the time that it takes; it fails if the loop has ended.</returns>
    public Task<TimeSpan>[] Ask()
    {
        lock (_probes)
        {
            for (int i = 0; i < _probes.Length; i++)
            {
                if (_probes[i].IsCompleted)
                {
                    long start = Stopwatch.GetTimestamp();
                    _probes[i] = group.Reactors[i].InvokeAsync(() => Stopwatch.GetElapsedTime(start));
                }
            }

            return [.. _probes];
        }
    }
}
