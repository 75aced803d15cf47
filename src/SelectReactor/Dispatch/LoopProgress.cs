namespace SelectReactor.Dispatch;

/// <summary>
/// What the loop is doing, for <see cref="LoopWatch"/>, which looks from another thread. The loop's thread writes it
/// at each call of a user's code, with stores that cost next to nothing.
/// </summary>
internal sealed class LoopProgress
{
    private const int Nobody = 0;
    private volatile int _thread;
    private volatile int _finished;
    private volatile object? _code;
    private volatile object? _state;

    /// <summary>Changes with each callback that ends.</summary>
    public int Finished => _finished;

    /// <summary>What was called: a handler or a delegate; null while no callback is under way.</summary>
    public object? Code => _code;

    /// <summary>The argument of the delegate, or the connection that the handler is called for.</summary>
    public object? State => _state;

    /// <summary>Whether a thread runs the loop at this moment. Any thread.</summary>
    public bool IsRunning => _thread != Nobody;

    /// <summary>Whether the calling thread runs the loop at this moment. Any thread.</summary>
    public bool IsMine => _thread == Environment.CurrentManagedThreadId;

    public void Enter() => _thread = Environment.CurrentManagedThreadId;

    public void Leave()
    {
        Rest();
        _thread = Nobody;
    }

    public void Begin(object code, object? state)
    {
        _state = state;
        _code = code;
    }

    public void End() => _finished++;

    /// <summary>The callback is over, and the library itself works or waits.</summary>
    public void Rest()
    {
        _code = null;
        _state = null;
    }
}
