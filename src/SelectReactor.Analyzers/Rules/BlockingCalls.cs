using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>The members of the framework that block the thread that calls them.</summary>
internal sealed class BlockingCalls
{
    public const string AwaitIt = "await the task";
    public const string Delay = "await Task.Delay, or call Schedule";
    private const string Elsewhere = "await a Task.Run that does it";

    private static readonly (string Type, string[] Members, string Advice)[] _table =
    [
        ("System.Threading.Tasks.Task", ["Wait", "WaitAll", "WaitAny"], AwaitIt),
        ("System.Threading.Tasks.Task`1", ["Result"], AwaitIt),
        ("System.Threading.Tasks.ValueTask`1", ["Result"], AwaitIt),
        ("System.Runtime.CompilerServices.TaskAwaiter", ["GetResult"], AwaitIt),
        ("System.Runtime.CompilerServices.TaskAwaiter`1", ["GetResult"], AwaitIt),
        ("System.Runtime.CompilerServices.ValueTaskAwaiter", ["GetResult"], AwaitIt),
        ("System.Runtime.CompilerServices.ValueTaskAwaiter`1", ["GetResult"], AwaitIt),
        ("System.Runtime.CompilerServices.ConfiguredTaskAwaitable+ConfiguredTaskAwaiter", ["GetResult"], AwaitIt),
        ("System.Runtime.CompilerServices.ConfiguredTaskAwaitable`1+ConfiguredTaskAwaiter", ["GetResult"], AwaitIt),
        ("System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable+ConfiguredValueTaskAwaiter",
            ["GetResult"], AwaitIt),
        ("System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable`1+ConfiguredValueTaskAwaiter",
            ["GetResult"], AwaitIt),
        ("System.Threading.Thread", ["Sleep"], Delay),
        ("System.Threading.Thread", ["Join"], Elsewhere),
        ("System.Threading.SemaphoreSlim", ["Wait"], "await WaitAsync"),
        ("System.Threading.WaitHandle", ["WaitOne", "WaitAll", "WaitAny", "SignalAndWait"], Elsewhere),
        ("System.Threading.ManualResetEventSlim", ["Wait"], Elsewhere),
        ("System.Threading.CountdownEvent", ["Wait"], Elsewhere),
        ("System.Threading.Barrier", ["SignalAndWait"], Elsewhere),
        ("System.Threading.Monitor", ["Wait"], Elsewhere),
        ("System.Collections.Concurrent.BlockingCollection`1", ["Take"], Elsewhere),
        ("System.Console", ["Read", "ReadKey", "ReadLine"], Elsewhere),
        ("System.Diagnostics.Process", ["WaitForExit"], "await WaitForExitAsync"),
        ("System.Net.Dns", ["GetHostAddresses", "GetHostEntry"], "await the method that ends in Async"),
    ];

    private readonly ImmutableDictionary<ISymbol, string> _advice;

    public BlockingCalls(Compilation compilation)
    {
        ImmutableDictionary<ISymbol, string>.Builder advice =
            ImmutableDictionary.CreateBuilder<ISymbol, string>(SymbolEqualityComparer.Default);
        foreach ((string name, string[] members, string text) in _table)
        {
            if (compilation.GetTypeByMetadataName(name) is not { } type)
            {
                continue;
            }

            foreach (ISymbol member in members.SelectMany(member => type.GetMembers(member)))
            {
                advice[member] = text;
            }
        }

        _advice = advice.ToImmutable();
    }

    /// <summary>What to do instead of a call; null if it does not block.</summary>
    /// <param name="operation">The call, or the property that is read.</param>
    /// <param name="tasks">Tells what is known about the tasks of the function around it.</param>
    public string? AdviceFor(IOperation operation, Func<TaskFacts> tasks) => operation switch
    {
        IPropertyReferenceOperation { Instance: { } task } property when Find(property.Property) is { } advice =>
            tasks().MayBlock(task, operation) ? advice : null,
        IInvocationOperation call when Find(call.TargetMethod) is { } advice =>
            !call.Arguments.Any(static argument => IsZero(argument.Value))
                && (advice != AwaitIt || tasks().MayBlock(TaskOf(call), operation))
                    ? advice
                    : null,
        _ => null,
    };

    private string? Find(ISymbol member) =>
        _advice.TryGetValue(member.OriginalDefinition, out string? advice) ? advice : null;

    // The task of task.GetAwaiter().GetResult() and of task.ConfigureAwait(false).GetAwaiter().GetResult().
    private static IOperation? TaskOf(IInvocationOperation call)
    {
        IOperation? task = call.Instance;
        while (task is IInvocationOperation { TargetMethod.Name: "GetAwaiter" or "ConfigureAwait" } step)
        {
            task = step.Instance;
        }

        return task;
    }

    private static bool IsZero(IOperation value) => Operations.Unwrap(value) switch
    {
        { ConstantValue: { HasValue: true, Value: 0 or 0L or 0.0 } } => true,
        IFieldReferenceOperation { Field: { Name: "Zero", ContainingType.Name: "TimeSpan" } } => true,
        IInvocationOperation { TargetMethod.ContainingType.Name: "TimeSpan" } made =>
            made.Arguments.All(static argument => IsZero(argument.Value)),
        _ => false,
    };
}
