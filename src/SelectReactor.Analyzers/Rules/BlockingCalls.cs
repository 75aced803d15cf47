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
    /// <param name="function">The body of the function around it.</param>
    public string? AdviceFor(IOperation operation, IOperation function) => operation switch
    {
        IPropertyReferenceOperation property when Find(property.Property) is { } advice =>
            IsComplete(property.Instance, function, operation) || IsBesideState(property) ? null : advice,
        IInvocationOperation call when Find(call.TargetMethod) is { } advice =>
            call.Arguments.Any(static argument => IsZero(argument.Value))
                || IsComplete(TaskOf(call), function, operation)
                    ? null
                    : advice,
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

    private static bool IsZero(IOperation value) =>
        value.ConstantValue is { HasValue: true, Value: 0 }
        || Operations.Unwrap(value) is IFieldReferenceOperation
        {
            Field: { Name: "Zero", ContainingType.Name: "TimeSpan" },
        };

    // Code above looks at the task's state or awaits it, alone or with others.
    private static bool IsComplete(IOperation? task, IOperation function, IOperation use)
    {
        if (task is null)
        {
            return false;
        }

        if (Operations.Unwrap(task) is IInvocationOperation { TargetMethod.Name: "FromResult" })
        {
            return true;
        }

        ISymbol? root = Operations.RootOf(task);
        int position = use.Syntax.SpanStart;
        return Operations.WithinFunction(function)
            .Where(operation => operation.Syntax.SpanStart < position || operation.Syntax.Span.Contains(position))
            .Any(operation => operation switch
            {
                IAwaitOperation { Operation: var awaited } => IsWhenAll(awaited) || Mentions(awaited, root),
                IPropertyReferenceOperation state when IsState(state.Property) => root is not null
                    && SymbolEqualityComparer.Default.Equals(Operations.RootOf(state.Instance), root),
                IIsPatternOperation { Value: var matched } => Mentions(matched, root),
                ISwitchExpressionOperation { Value: var switched } => Mentions(switched, root),
                _ => false,
            });
    }

    // { IsCompletedSuccessfully: true, Result: … }
    private static bool IsBesideState(IPropertyReferenceOperation property) =>
        property.Parent is IPropertySubpatternOperation { Parent: IRecursivePatternOperation pattern }
        && pattern.PropertySubpatterns.Any(
            static other => other.Member is IPropertyReferenceOperation { Property: var state } && IsState(state));

    private static bool IsState(IPropertySymbol property) =>
        property.Name is "IsCompleted" or "IsCompletedSuccessfully" or "IsFaulted" or "Status";

    private static bool IsWhenAll(IOperation awaited) =>
        awaited.DescendantsAndSelf().Any(
            static operation => operation is IInvocationOperation { TargetMethod.Name: "WhenAll" or "WhenAny" });

    private static bool Mentions(IOperation operation, ISymbol? root) =>
        root is not null && operation.DescendantsAndSelf().Any(part =>
            part is ILocalReferenceOperation or IParameterReferenceOperation or IMemberReferenceOperation
            && SymbolEqualityComparer.Default.Equals(Operations.RootOf(part), root));
}
