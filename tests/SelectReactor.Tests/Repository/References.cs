using System.Reflection;
using System.Reflection.Emit;

namespace SelectReactor.Tests.Repository;

/// <summary>Which types of an assembly each of its types refers to, in its declarations and in the code of its
/// members.</summary>
internal static class References
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> _opCodes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => (OpCode)field.GetValue(null)!)
        .ToDictionary(static code => code.Value);

    /// <summary>Pairs of outermost types of the assembly, the first of which refers to the second.</summary>
    public static IEnumerable<(Type From, Type To)> Within(Assembly assembly) => assembly.GetTypes()
        .SelectMany(static type => Of(type).Select(used => (From: Outermost(type), To: Outermost(used))))
        .Where(pair => pair.To.Assembly == assembly && pair.From != pair.To)
        .Distinct();

    private static IEnumerable<Type> Of(Type type)
    {
        IEnumerable<Type?> declared =
        [
            type.BaseType,
            .. type.GetInterfaces(),
            .. type.GetFields(Declared).Select(static field => field.FieldType),
            .. type.GetGenericArguments().SelectMany(static argument =>
                argument.IsGenericParameter ? argument.GetGenericParameterConstraints() : [argument]),
        ];
        IEnumerable<MethodBase> members = [.. type.GetMethods(Declared), .. type.GetConstructors(Declared)];
        return declared.OfType<Type>().Concat(members.SelectMany(Of)).SelectMany(Parts);
    }

    private static IEnumerable<Type> Of(MethodBase method)
    {
        IEnumerable<Type> signature = method.GetParameters().Select(static parameter => parameter.ParameterType);
        if (method is MethodInfo { ReturnType: var result })
        {
            signature = signature.Append(result);
        }

        return method.GetMethodBody() is { } body
            ? signature.Concat(body.LocalVariables.Select(static local => local.LocalType)).Concat(
                InCode(method, body))
            : signature;
    }

    private static IEnumerable<Type> InCode(MethodBase method, MethodBody body)
    {
        byte[] code = body.GetILAsByteArray()!;
        Type[]? typeArguments = method.DeclaringType!.IsGenericType
            ? method.DeclaringType.GetGenericArguments()
            : null;
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < code.Length;)
        {
            short value = code[at++];
            if (value == 0xFE)
            {
                value = (short)(0xFE00 | code[at++]);
            }

            OpCode operation = _opCodes[value];
            if (operation.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType
                or OperandType.InlineTok)
            {
                MemberInfo? member = method.Module.ResolveMember(
                    BitConverter.ToInt32(code, at), typeArguments, methodArguments);
                foreach (Type used in Of(member))
                {
                    yield return used;
                }
            }

            at += SizeOf(operation.OperandType, code, at);
        }
    }

    private static IEnumerable<Type> Of(MemberInfo? member) => member switch
    {
        Type type => [type],
        FieldInfo field => [field.DeclaringType!, field.FieldType],
        MethodInfo method => [method.DeclaringType!, method.ReturnType, .. method.GetGenericArguments()],
        MethodBase constructor => [constructor.DeclaringType!],
        _ => [],
    };

    private static int SizeOf(OperandType operand, byte[] code, int at) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
        _ => 4,
    };

    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType)
        {
            return Parts(type.GetElementType()!);
        }

        return type.IsGenericType && !type.IsGenericTypeDefinition
            ? type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition())
            : [type];
    }

    private static Type Outermost(Type type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        return type;
    }
}
