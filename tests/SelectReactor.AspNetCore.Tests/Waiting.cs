namespace SelectReactor.AspNetCore.Tests;

/// <summary>Waits that end.</summary>
internal static class Waiting
{
    public static TimeSpan Bound { get; } = TimeSpan.FromSeconds(20);

    public static Task Within(this Task task) => task.WaitAsync(Bound);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Bound);

    public static Task<T> Within<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Bound);

    /// <summary>Waits until something is so that nobody tells of.</summary>
    public static async Task UntilAsync(Func<bool> isSo, string what)
    {
        long end = Environment.TickCount64 + (long)Bound.TotalMilliseconds;
        while (!isSo())
        {
            Assert.That(Environment.TickCount64, Is.LessThan(end), what);
            await Task.Delay(5);
        }
    }
}
