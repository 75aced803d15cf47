namespace SelectReactor.Dispatch;

/// <summary>The call of a function. Its outcome is what the function returns or throws.</summary>
internal sealed class FunctionInvocation<T>(Reactor reactor, Func<T> function, Delegate given)
    : Invocation<T>(reactor, given)
{
    public override void Run()
    {
        try
        {
            Completion.CompleteNow(System.Threading.Tasks.Task.FromResult(Context.Run(function)));
        }
        catch (Exception exception)
        {
            Completion.CompleteNow(System.Threading.Tasks.Task.FromException<T>(exception));
        }
    }
}
