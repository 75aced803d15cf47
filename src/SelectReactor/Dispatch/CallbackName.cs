using System.Reflection;
using System.Runtime.CompilerServices;

namespace SelectReactor.Dispatch;

/// <summary>Names a callback for a message: the type of a handler and its connection, the method of a delegate, or
/// what is done before a connection opens.</summary>
internal static class CallbackName
{
    /// <param name="code">A handler, a delegate, or the name itself.</param>
    /// <param name="state">The connection that the handler is called for, or the argument of the delegate, which is
    /// often the delegate that matters.</param>
    public static string Of(object? code, object? state)
    {
        if (state is IStoppable connection)
        {
            return $"{Of(code, null)} ({connection})";
        }

        object? subject = ((state ?? code) as INamedCall)?.Function
            ?? state as Delegate ?? (MachineOf(state) ?? code);
        return subject switch
        {
            null => "a callback",
            string name => name,
            IOpening opening => opening.ToString()!,
            Type machine => NameOf(machine),
            Delegate function when MachineOf(function.Target) is { } machine => NameOf(machine),
            Delegate function => NameOf(function.Method),
            _ => NameOf(subject.GetType()),
        };
    }

    // The code after an await runs inside a box with the state machine of its method.
    private static Type? MachineOf(object? box) => box?.GetType().GenericTypeArguments
        .FirstOrDefault(static type => typeof(IAsyncStateMachine).IsAssignableFrom(type));

    // The compiler calls a lambda <Method>b__0 and a state machine <Method>d__0, in a class <>c or the like.
    private static string NameOf(MethodInfo method)
    {
        string name = Source(method.Name) is { } source ? $"a lambda in {source}" : method.Name;
        return method.DeclaringType is { } type ? Join(name, type) : name;
    }

    private static string NameOf(Type type) =>
        Source(type.Name) is { } source && type.DeclaringType is { } declaring
            ? Join(source, declaring)
            : FullName(type);

    private static string Join(string method, Type type)
    {
        while (type.Name.StartsWith('<') && type.DeclaringType is { } declaring)
        {
            type = declaring;
        }

        return method.StartsWith("a lambda in ", StringComparison.Ordinal)
            ? $"a lambda in {FullName(type)}.{method["a lambda in ".Length..]}"
            : $"{FullName(type)}.{method}";
    }

    private static string FullName(Type type) => (type.FullName ?? type.Name).Replace('+', '.').Split('[')[0];

    /// <summary>The name between the innermost angle brackets; null if there is none.</summary>
    private static string? Source(string name)
    {
        int end = name.IndexOf('>', StringComparison.Ordinal);
        int start = end > 0 ? name.LastIndexOf('<', end) : -1;
        return start >= 0 && end > start + 1 ? name[(start + 1)..end] : null;
    }
}
