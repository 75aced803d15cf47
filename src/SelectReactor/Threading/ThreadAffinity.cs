namespace SelectReactor.Threading;

/// <summary>
/// Remembers the thread of a reactor and refuses every other one. While no thread is bound, any thread may use the reactor, so
/// that a program can set things up before it runs the loop.
/// </summary>
internal sealed class ThreadAffinity
{
    private const int Unbound = 0;
    private int _owner = Unbound;

    public bool IsCurrent => Volatile.Read(ref _owner) == Environment.CurrentManagedThreadId;

    public bool IsCurrentOrUnbound
    {
        get
        {
            int owner = Volatile.Read(ref _owner);
            return owner == Environment.CurrentManagedThreadId || owner == Unbound;
        }
    }

    public void Bind() => Volatile.Write(ref _owner, Environment.CurrentManagedThreadId);

    public void Release() => Volatile.Write(ref _owner, Unbound);

    public void Verify()
    {
        if (!IsCurrentOrUnbound)
        {
            Throw();
        }
    }

    private void Throw() => throw new InvalidOperationException(
        $"This member may only be used on the reactor's thread (thread {_owner}), not on thread "
        + $"{Environment.CurrentManagedThreadId}. Use Reactor.Post or Reactor.InvokeAsync to get there.");
}
