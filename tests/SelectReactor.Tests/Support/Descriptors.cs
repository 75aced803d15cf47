namespace SelectReactor.Tests.Support;

/// <summary>The descriptors that this process has open, where the system tells (Linux). The count includes those of
/// other tests and of the runtime, which come and go: see <see cref="RecordingHandles"/> for exact numbers.</summary>
public static class Descriptors
{
    /// <summary>Fails if an action that is repeated many times leaves a descriptor open each time. Half as many may
    /// come from elsewhere.</summary>
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

    private static int Count() => Directory.GetFiles("/proc/self/fd").Length;
}
