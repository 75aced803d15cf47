namespace SelectReactor.Portability;

/// <summary>Bounded waits.</summary>
internal static class Wait
{
    public const int MaxMilliseconds = 20_000;

    public static T For<T>(Task<T> task, string subject)
    {
        End(task, subject);
        return task.GetAwaiter().GetResult();
    }

    public static void For(Task task, string subject)
    {
        End(task, subject);
        task.GetAwaiter().GetResult();
    }

    public static void ForAny(Task[] tasks, string subject)
    {
        if (Task.WaitAny(tasks, MaxMilliseconds) < 0)
        {
            throw new CheckException($"{subject} did not happen");
        }
    }

    public static void For(Thread thread, string subject)
    {
        if (!thread.Join(MaxMilliseconds))
        {
            throw new CheckException($"{subject} did not end");
        }
    }

    // Does not throw what the task throws, so that the caller sees it unwrapped.
    private static void End(Task task, string subject)
    {
        if (!((IAsyncResult)task).AsyncWaitHandle.WaitOne(MaxMilliseconds))
        {
            throw new CheckException($"{subject} did not happen");
        }
    }
}
