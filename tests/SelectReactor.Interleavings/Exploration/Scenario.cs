namespace SelectReactor.Interleavings.Exploration;

/// <summary>Threads that start together, made anew for every schedule.</summary>
/// <param name="Check">Looks at the outcome when all threads are through; throws what is wrong.</param>
/// <param name="Threads">What runs, with names for the report.</param>
internal sealed record Scenario(Action Check, params (string Name, Action Body)[] Threads)
{
    public static void Require(bool condition, string otherwise)
    {
        // Not an assertion of NUnit, which would fail the test even where the explorer is meant to find it.
        if (!condition)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
