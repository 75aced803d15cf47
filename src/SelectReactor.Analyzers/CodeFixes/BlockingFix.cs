using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;
using Microsoft.CodeAnalysis.Simplification;

namespace SelectReactor.Analyzers;

/// <summary>
/// Awaits the task for which a callback waits (SR0002). It is offered only in a function that is <c>async</c> already:
/// its callers see no difference.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
internal sealed class BlockingFix() : LibraryFix(Rules.Blocking)
{
    protected override (string Title, SyntaxNode Replacement)? Fix(
        SyntaxNode node, Diagnostic diagnostic, SemanticModel model) =>
        node is ExpressionSyntax wait
        && diagnostic.Properties.TryGetValue(BlockingAnalyzer.AdviceProperty, out string? advice)
        && advice is BlockingCalls.AwaitIt or BlockingCalls.Delay
        && MayAwait(wait, model)
        && AwaitableFor(wait) is { } awaitable
            ? ("Await it", Await(awaitable, wait))
            : null;

    private static bool MayAwait(ExpressionSyntax wait, SemanticModel model) =>
        IsInAsyncFunction(wait, model)
        && !wait.Ancestors().OfType<MemberDeclarationSyntax>().Any(
            static member => member.Modifiers.Any(SyntaxKind.UnsafeKeyword))
        && !model.LookupSymbols(wait.SpanStart).Any(static symbol => symbol switch
        {
            ILocalSymbol local => local.RefKind != RefKind.None || local.Type.IsRefLikeType,
            IParameterSymbol parameter => parameter.RefKind != RefKind.None || parameter.Type.IsRefLikeType,
            _ => false,
        });

    private static bool IsInAsyncFunction(ExpressionSyntax wait, SemanticModel model)
    {
        foreach (SyntaxNode node in wait.Ancestors())
        {
            switch (node)
            {
                case LockStatementSyntax or UnsafeStatementSyntax or FixedStatementSyntax or CatchFilterClauseSyntax:
                    return false;
                case CommonForEachStatementSyntax loop
                    when model.GetTypeInfo(loop.Expression).Type is { IsRefLikeType: true }:
                    return false;
                case AnonymousFunctionExpressionSyntax lambda:
                    return lambda.AsyncKeyword.IsKind(SyntaxKind.AsyncKeyword);
                case LocalFunctionStatementSyntax local:
                    return local.Modifiers.Any(SyntaxKind.AsyncKeyword);
                case MemberDeclarationSyntax member and not GlobalStatementSyntax:
                    return member.Modifiers.Any(SyntaxKind.AsyncKeyword);
            }
        }

        return false;
    }

    // task.Result, task.Wait(), task.GetAwaiter().GetResult() and Thread.Sleep(time). A Wait that may give up stays.
    private static ExpressionSyntax? AwaitableFor(ExpressionSyntax wait) => wait switch
    {
        MemberAccessExpressionSyntax { Name.Identifier.Text: "Result" } result => result.Expression,
        InvocationExpressionSyntax
        {
            ArgumentList.Arguments.Count: 0,
            Expression: MemberAccessExpressionSyntax
            {
                Name.Identifier.Text: "GetResult",
                Expression: InvocationExpressionSyntax
                {
                    Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "GetAwaiter" } awaiter,
                },
            },
        } => awaiter.Expression,
        InvocationExpressionSyntax
        {
            ArgumentList.Arguments.Count: 0,
            Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "Wait", Expression: var task },
        } => task,
        InvocationExpressionSyntax
        {
            ArgumentList: var arguments,
            Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "Sleep" },
        } => SyntaxFactory.InvocationExpression(
            SyntaxFactory.ParseExpression("global::System.Threading.Tasks.Task.Delay")
                .WithAdditionalAnnotations(Simplifier.Annotation),
            arguments),
        _ => null,
    };

    private static ParenthesizedExpressionSyntax Await(ExpressionSyntax awaitable, ExpressionSyntax wait) =>
        SyntaxFactory.ParenthesizedExpression(SyntaxFactory.AwaitExpression(awaitable.WithoutTrivia()))
            .WithTriviaFrom(wait)
            .WithAdditionalAnnotations(Simplifier.Annotation, Formatter.Annotation);
}
