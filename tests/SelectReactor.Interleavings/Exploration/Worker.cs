namespace SelectReactor.Interleavings.Exploration;

/// <summary>A real thread that runs only while it has the baton, and gives it away at its pauses only.</summary>
internal sealed class Worker
{
    [ThreadStatic]
    private static Worker? _current;

    private readonly SemaphoreSlim _baton = new(0);
    private Action? _body;

    public Worker(int index, Explorer explorer)
    {
        Index = index;
        Explorer = explorer;
        new Thread(Serve) { IsBackground = true }.Start();
    }

    /// <summary>The current thread's, null on a thread that no explorer schedules.</summary>
    public static Worker? Current => _current;

    public int Index { get; }

    public Explorer Explorer { get; }

    public string Name { get; private set; } = "";

    /// <summary>What it does as soon as it goes on.</summary>
    public string Next { get; private set; } = "";

    /// <summary>Whether it could go on now.</summary>
    public bool IsPossible => !IsDone && (Condition is null || Condition());

    public bool IsDone { get; private set; } = true;

    private Func<bool>? Condition { get; set; }

    public void Prepare(string name, Action body)
    {
        (Name, _body, Next, Condition, IsDone) = (name, body, "starts", null, false);
    }

    /// <summary>Marks a place between two steps of the current thread, where others may run.</summary>
    /// <param name="next">What the thread is about to do, for the report.</param>
    /// <param name="condition">What must hold for it; null when it can always be done.</param>
    public static void Pause(string next, Func<bool>? condition = null)
    {
        if (_current is { } self)
        {
            (self.Next, self.Condition) = (next, condition);
            self.Explorer.PassOn(self);
        }
    }

    /// <summary>Gives this thread the baton, on another.</summary>
    public void Resume() => _baton.Release();

    /// <summary>Waits for the baton, on this thread.</summary>
    public void Await() => _baton.Wait();

    public void End()
    {
        _body = null;
        Resume();
    }

    private void Serve()
    {
        _current = this;
        for (Await(); _body is not null; Await())
        {
            try
            {
                Explorer.Record(this);
                _body();
                DrainAtTheEnd();
                IsDone = true;
            }
            catch (Exception exception)
            {
                Explorer.Fail($"{Name}: {exception}");
                return;
            }

            Explorer.PassOn(this);
        }
    }

    // What a thread wrote last is seen some time, but not at once.
    private void DrainAtTheEnd()
    {
        if (Explorer.Buffers.Holds(this))
        {
            Pause("ends");
            Explorer.Buffers.DrainAll(this);
        }
    }
}
