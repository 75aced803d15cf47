namespace SelectReactor.Tests.Support;

/// <summary>The bytes that code allocates on the current thread.</summary>
internal static class Allocations
{
    private const int MaxRounds = 10;

    public static long Of(Action code)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        code();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>Of the round that allocated least. What the code costs shows in each round; what the runtime does now
    /// and then, such as compiling anew, does not. It ends with the first round that allocates nothing.</summary>
    public static long Least(Action round) => Least(() => Of(round));

    /// <summary>As the other one, for rounds that count a part of what they do.</summary>
    public static long Least(Func<long> round)
    {
        long least = round();
        for (int i = 1; i < MaxRounds && least > 0; i++)
        {
            least = Math.Min(least, round());
        }

        return least;
    }
}
