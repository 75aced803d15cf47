namespace SelectReactor.Tests.Support;

/// <summary>The descriptors that this process has open, where the system tells (Linux).</summary>
public static class Descriptors
{
    public static int Count() => Directory.GetFiles("/proc/self/fd").Length;

    /// <summary>Fails when an action, done many times, leaves descriptors open. A few may come and go with the
    /// runtime.</summary>
    public static void AssertNoneLeft(int rounds, Action action)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        action();
        int before = Count();
        for (int i = 0; i < rounds; i++)
        {
            action();
        }

        Assert.That(Count() - before, Is.LessThan(rounds / 2), "descriptors left open");
    }
}
