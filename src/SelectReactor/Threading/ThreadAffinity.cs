namespace SelectReactor.Threading;

/// <summary>
/// Remembers the thread of a reactor and refuses every other one. While no thread is bound, any thread may use the
/// reactor, so that a program can set things up before it runs the loop. A thread that has ended is no longer bound.
/// </summary>
internal sealed class ThreadAffinity
{
    // The object and not its id: the system gives the id of a thread that has ended to a new one.
    private Thread? _owner;

    public bool IsCurrent => Volatile.Read(ref _owner) == Thread.CurrentThread;

    public bool IsCurrentOrUnbound => MayPass(Volatile.Read(ref _owner));

    public void Bind() => Volatile.Write(ref _owner, Thread.CurrentThread);

    public void Release() => Volatile.Write(ref _owner, null);

    public void Verify()
    {
        Thread? owner = Volatile.Read(ref _owner);
        if (!MayPass(owner))
        {
            Throw(owner!);
        }
    }

    private static bool MayPass(Thread? owner) => owner == Thread.CurrentThread || owner is not { IsAlive: true };

    private static void Throw(Thread owner) => throw new InvalidOperationException(
        $"This member may only be used on the reactor's thread (thread {owner.ManagedThreadId}), not on thread "
        + $"{Environment.CurrentManagedThreadId}. Use Reactor.Post or Reactor.InvokeAsync to get there.");
}
