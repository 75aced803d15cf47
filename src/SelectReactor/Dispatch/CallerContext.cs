namespace SelectReactor.Dispatch;

/// <summary>The execution context of a caller, such as its AsyncLocal values.</summary>
internal readonly struct CallerContext
{
    /// <summary>Null if the caller has suppressed the flow.</summary>
    private readonly ExecutionContext? _context;

    private CallerContext(ExecutionContext? context) => _context = context;

    public static CallerContext Capture() => new(ExecutionContext.Capture());

    public T Run<T>(Func<T> function)
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
