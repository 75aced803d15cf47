namespace SelectReactor.Tests.Clients;

internal static class TaskAssert
{
    /// <summary>The exception of a task that has failed already; the test fails if it has another outcome.</summary>
    public static T Failure<T>(this Task task)
        where T : Exception
    {
        Assert.That(task.IsCompleted, Is.True, "the task has completed");
        Assert.That(task.Exception?.InnerException, Is.InstanceOf<T>());
        return (T)task.Exception!.InnerException!;
    }
}
