namespace SelectReactor.Dispatch;

/// <summary>A function that runs on the reactor's thread, in the execution context of its caller.</summary>
internal sealed class Invocation<T>(Reactor reactor, Func<T> function)
{
    private readonly ReactorCompletion<T> _completion = new(reactor);

    /// <summary>Null if the caller has suppressed the flow.</summary>
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    public Task<T> Task => _completion.Task;

    public void Run()
    {
        try
        {
            _completion.CompleteNow(System.Threading.Tasks.Task.FromResult(Call()));
        }
        catch (Exception exception)
        {
            _completion.CompleteNow(System.Threading.Tasks.Task.FromException<T>(exception));
        }
    }

    private T Call()
    {
        if (_context is null || _context == ExecutionContext.Capture())
        {
            return function();
        }

        T result = default!;
        ExecutionContext.Run(_context, _ => result = function(), null);
        return result;
    }
}
