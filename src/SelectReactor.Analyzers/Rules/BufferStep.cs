using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace SelectReactor.Analyzers;

/// <summary>What the statements of one block do to the variables that refer to received bytes.</summary>
internal sealed class BufferStep
{
    // A value that is kept while a condition in the same expression is computed; null if it is one of several.
    private readonly Dictionary<CaptureId, IOperation?> _captures = [];
    private readonly BufferTypes _types;

    // What a nested function uses may change whenever it is called.
    private readonly HashSet<ISymbol> _captured = new(SymbolEqualityComparer.Default);

    private BufferState _state = BufferState.Empty;
    private Action<Diagnostic>? _report;

    public BufferStep(ControlFlowGraph graph, BufferTypes types)
    {
        _types = types;
        foreach (IOperation nested in graph.OriginalOperation.Descendants().Where(
            static operation => operation is IAnonymousFunctionOperation or ILocalFunctionOperation))
        {
            _captured.UnionWith(
                nested.Descendants().OfType<ILocalReferenceOperation>().Select(static one => one.Local));
            _captured.UnionWith(
                nested.Descendants().OfType<IParameterReferenceOperation>().Select(static one => one.Parameter));
        }

        foreach (IFlowCaptureOperation capture in graph.Blocks.SelectMany(
            static block => block.Operations.OfType<IFlowCaptureOperation>()))
        {
            _captures[capture.Id] = _captures.ContainsKey(capture.Id) ? null : capture.Value;
        }
    }

    /// <summary>The state after a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="before">The state before it.</param>
    /// <param name="report">Gets the wrong uses. Null while the states are not final.</param>
    public BufferState After(BasicBlock block, BufferState before, Action<Diagnostic>? report)
    {
        _state = before;
        _report = report;
        foreach (IOperation operation in block.Operations)
        {
            Visit(operation);
        }

        if (block.BranchValue is { } value)
        {
            Visit(value);
        }

        return _state;
    }

    private void Visit(IOperation operation)
    {
        switch (operation)
        {
            case ISimpleAssignmentOperation assignment:
                VisitParts(assignment.Target);
                Visit(assignment.Value);
                Assign(assignment.Target, OriginOf(assignment.Value), assignment.Syntax);
                break;
            case IInvocationOperation call:
                VisitCall(call);
                break;
            case IDeconstructionAssignmentOperation deconstruction:
                Visit(deconstruction.Value);
                foreach (IOperation target in BufferTargets.Of(deconstruction.Target))
                {
                    Assign(target, BufferOrigin.Other, deconstruction.Syntax);
                }

                break;
            case INameOfOperation or IFlowAnonymousFunctionOperation:
                break;
            case IBinaryOperation binary:
                VisitBinary(binary);
                break;
            case ILocalReferenceOperation local:
                CheckUse(local, local.Local);
                break;
            case IParameterReferenceOperation parameter:
                CheckUse(parameter, parameter.Parameter);
                break;
            default:
                VisitParts(operation);
                break;
        }
    }

    private void VisitParts(IOperation operation)
    {
        foreach (IOperation child in operation.ChildOperations)
        {
            Visit(child);
        }
    }

    // A sum of ten thousand texts is as deep as it is long: to call oneself for each would overflow the stack.
    private void VisitBinary(IBinaryOperation binary)
    {
        var rights = new Stack<IOperation>();
        IOperation left = binary;
        while (left is IBinaryOperation sum)
        {
            rights.Push(sum.RightOperand);
            left = Operations.Unwrap(sum.LeftOperand);
        }

        Visit(left);
        foreach (IOperation right in rights)
        {
            Visit(right);
        }
    }

    private void VisitCall(IInvocationOperation call)
    {
        if (call.Instance is { } instance)
        {
            Visit(instance);
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (argument.Parameter is not { RefKind: RefKind.Out or RefKind.Ref })
            {
                Visit(argument.Value);
            }
        }

        if (_types.IsAdvance(call))
        {
            if (SourceOf(call.Instance) is { } advanced)
            {
                _state = _state.GiveBack(advanced);
            }

            return;
        }

        BufferOrigin result = _types.IsOfReader(call, "TryRead") && SourceOf(call.Instance) is { } source
            ? new BufferOrigin(source, BufferLife.Valid, null)
            : BufferOrigin.Other;
        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (argument.Parameter is { RefKind: RefKind.Out } parameter)
            {
                Assign(argument.Value, _types.IsResult(parameter.Type) ? result : BufferOrigin.Other, call.Syntax);
            }
            else if (argument.Parameter is { RefKind: RefKind.Ref })
            {
                ForgetIfGone(argument.Value);
            }
        }

        // Code of the same program may clear the fields.
        if (!call.TargetMethod.DeclaringSyntaxReferences.IsEmpty
            || call.TargetMethod.MethodKind == MethodKind.DelegateInvoke)
        {
            _state = _state.ForgetFields();
        }
    }

    private void Assign(IOperation target, BufferOrigin origin, SyntaxNode assignment)
    {
        switch (target)
        {
            case ILocalReferenceOperation local:
                Assign(local.Local, origin.At(assignment), SourceOf(local)!);
                break;
            case IDeclarationExpressionOperation { Expression: ILocalReferenceOperation declared }:
                Assign(declared.Local, origin.At(assignment), SourceOf(declared)!);
                break;
            case IParameterReferenceOperation parameter:
                Assign(parameter.Parameter, origin.At(assignment), SourceOf(parameter)!);
                break;
            case IMemberReferenceOperation { Member: IFieldSymbol or IPropertySymbol } member
                when !BufferTargets.IsPartOfLocal(member):
                _state = _state.ForgetSourcesWith(member.Member.Name);
                if (BufferTargets.Keeps(member.Member))
                {
                    _state = _state.With(member.Member, origin.At(assignment));
                }

                break;
        }
    }

    // Another value of a variable is another pipe reader, or another object that has one.
    private void Assign(ISymbol variable, BufferOrigin origin, string source)
    {
        _state = _state.ForgetSource(source);
        if (!_captured.Contains(variable))
        {
            _state = _state.With(variable, origin);
        }
    }

    private void ForgetIfGone(IOperation variable)
    {
        ISymbol? symbol = variable switch
        {
            ILocalReferenceOperation local => local.Local,
            IParameterReferenceOperation parameter => parameter.Parameter,
            _ => null,
        };
        if (symbol is not null && _state[symbol].Life == BufferLife.GivenBack)
        {
            _state = _state.With(symbol, BufferOrigin.Other);
        }
    }

    private BufferOrigin OriginOf(IOperation? value)
    {
        if (value is null)
        {
            return BufferOrigin.Other;
        }

        switch (Operations.Unwrap(value))
        {
            case IFlowCaptureReferenceOperation captured:
                return OriginOf(Captured(captured));
            case ILocalReferenceOperation local:
                return _state[local.Local];
            case IParameterReferenceOperation parameter:
                return _state[parameter.Parameter];
            case IPropertyReferenceOperation part when _types.IsPart(part.Property):
                return OriginOf(part.Instance);
            case IInvocationOperation part when _types.IsPart(part.TargetMethod):
                return OriginOf(part.Instance);
            case IMemberReferenceOperation { Member: var member }:
                return _state[member];
            case IAwaitOperation wait:
                return OriginOfRead(Operations.Awaited(wait));
            default:
                return BufferOrigin.Other;
        }
    }

    private BufferOrigin OriginOfRead(IOperation awaited) =>
        awaited is IInvocationOperation read
        && (_types.IsOfReader(read, "ReadAsync") || _types.IsOfReader(read, "ReadAtLeastAsync"))
        && SourceOf(read.Instance) is { } source
            ? new BufferOrigin(source, BufferLife.Valid, null)
            : BufferOrigin.Other;

    private IOperation? Captured(IFlowCaptureReferenceOperation reference) =>
        _captures.TryGetValue(reference.Id, out IOperation? value) ? value : null;

    // A name for the pipe reader, which two expressions share only if they mean the same one.
    private string? SourceOf(IOperation? reader) => reader switch
    {
        IConversionOperation conversion => SourceOf(conversion.Operand),
        IFlowCaptureReferenceOperation captured => SourceOf(Captured(captured)),
        ILocalReferenceOperation { Local: var local } => $"{local.Name}:{local.Locations[0].SourceSpan.Start}",
        IParameterReferenceOperation { Parameter: var parameter } => parameter.Name,
        IInstanceReferenceOperation => "this",
        IMemberReferenceOperation { Instance: null, Member: var member } => member.ToDisplayString(),
        IMemberReferenceOperation { Instance: { } instance, Member: IFieldSymbol or IPropertySymbol } member =>
            SourceOf(instance) is { } owner ? $"{owner}.{member.Member.Name}" : null,
        _ => null,
    };

    // Positions are not bytes, and whether the input has ended is known for ever.
    private void CheckUse(IOperation use, ISymbol variable)
    {
        if (_report is null || _captured.Contains(variable) || _state[variable].Life != BufferLife.GivenBack)
        {
            return;
        }

        bool isUse = _types.IsResult(use.Type)
            ? use.Parent is IPropertyReferenceOperation { Property: { Name: "Buffer" } } buffer && !IsPosition(buffer)
            : !IsPosition(use);
        if (isUse)
        {
            _report(Diagnostic.Create(
                Rules.UseAfterAdvance,
                use.Syntax.GetLocation(),
                _types.IsResult(use.Type) ? $"{variable.Name}.Buffer" : variable.Name));
        }
    }

    private static bool IsPosition(IOperation bytes) =>
        bytes.Parent is IPropertyReferenceOperation { Property.Name: "Start" or "End" };
}
