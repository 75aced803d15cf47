namespace SelectReactor.Dispatch;

/// <summary>A function that runs on the reactor's thread, in the execution context of its caller.</summary>
/// <param name="reactor">Whose thread it is.</param>
/// <param name="function">What is called.</param>
/// <param name="given">What the user gave, which messages name.</param>
internal sealed class Invocation<T>(Reactor reactor, Func<T> function, Delegate given) : INamedCall
{
    private readonly ReactorCompletion<T> _completion = new(reactor);
    private readonly CallerContext _context = CallerContext.Capture();

    Delegate INamedCall.Function => given;

    public Task<T> Task => _completion.Task;

    public void Run()
    {
        try
        {
            _completion.CompleteNow(System.Threading.Tasks.Task.FromResult(_context.Run(function)));
        }
        catch (Exception exception)
        {
            _completion.CompleteNow(System.Threading.Tasks.Task.FromException<T>(exception));
        }
    }
}
