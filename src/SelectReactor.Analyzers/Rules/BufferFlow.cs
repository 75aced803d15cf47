using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace SelectReactor.Analyzers;

/// <summary>
/// Follows received bytes through one function. It reports a use that is wrong on every path to it, so that two
/// conditions which exclude each other give no false alarm. It does not know where exceptions leave a block: handlers
/// and <c>finally</c> blocks begin with nothing known.
/// </summary>
internal sealed class BufferFlow(ControlFlowGraph graph, BufferTypes types)
{
    private readonly BufferStep _step = new(graph, types);

    public void Run(ImmutableArray<IParameterSymbol> lent, Action<Diagnostic> report)
    {
        BufferState?[] before = StatesBefore(lent);
        foreach (BasicBlock block in graph.Blocks)
        {
            if (before[block.Ordinal] is { } state)
            {
                _step.After(block, state, report);
            }
        }

        if (before[graph.Blocks.Length - 1] is { } end)
        {
            ReportKept(end, report);
        }
    }

    private BufferState?[] StatesBefore(ImmutableArray<IParameterSymbol> lent)
    {
        var before = new BufferState?[graph.Blocks.Length];
        before[0] = lent.Aggregate(BufferState.Empty, static (state, parameter) => state.With(
            parameter, new BufferOrigin(BufferOrigin.Caller, BufferLife.Valid, null)));

        // Blocks are numbered as they follow each other: in this order few are looked at twice.
        var left = new SortedSet<int> { 0 };
        foreach (BasicBlock handler in graph.Blocks.Where(IsHandler))
        {
            before[handler.Ordinal] = BufferState.Empty;
            left.Add(handler.Ordinal);
        }

        while (left.Count > 0)
        {
            BasicBlock block = graph.Blocks[left.Min];
            left.Remove(block.Ordinal);
            BufferState after = _step.After(block, before[block.Ordinal]!, report: null);
            foreach (ControlFlowBranch? branch in new[] { block.ConditionalSuccessor, block.FallThroughSuccessor })
            {
                if (branch is not { Destination: { } next })
                {
                    continue;
                }

                // What the finally blocks on the way do is not looked at: they may clear fields.
                BufferState arriving = branch.FinallyRegions.IsEmpty ? after : after.ForgetFields();
                BufferState? known = before[next.Ordinal];
                BufferState joined = known?.Join(arriving) ?? arriving;
                if (known is null || !known.IsSame(joined))
                {
                    before[next.Ordinal] = joined;
                    left.Add(next.Ordinal);
                }
            }
        }

        return before;
    }

    private static bool IsHandler(BasicBlock block)
    {
        ControlFlowRegion region = block.EnclosingRegion;
        while (region.FirstBlockOrdinal == block.Ordinal)
        {
            if (region.Kind is ControlFlowRegionKind.Catch or ControlFlowRegionKind.Filter
                or ControlFlowRegionKind.FilterAndHandler or ControlFlowRegionKind.Finally)
            {
                return true;
            }

            if (region.EnclosingRegion is not { } outer)
            {
                break;
            }

            region = outer;
        }

        return false;
    }

    private static void ReportKept(BufferState end, Action<Diagnostic> report)
    {
        foreach (KeyValuePair<ISymbol, BufferOrigin> pair in end.All)
        {
            bool isOfCaller = pair.Value.Source == BufferOrigin.Caller;
            if (pair.Key is (IFieldSymbol or IPropertySymbol)
                && pair.Value is { Assignment: { } assignment } origin
                && (isOfCaller || origin.Life == BufferLife.GivenBack))
            {
                report(Diagnostic.Create(
                    Rules.KeptBuffer,
                    assignment.GetLocation(),
                    pair.Key.Name,
                    isOfCaller ? "the method has returned" : "AdvanceTo"));
            }
        }
    }
}
