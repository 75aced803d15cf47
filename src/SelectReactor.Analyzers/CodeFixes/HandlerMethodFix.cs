using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace SelectReactor.Analyzers;

/// <summary>Gives a method that looks like a callback (SR0003) the name and the modifiers of the callback.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
internal sealed class HandlerMethodFix() : LibraryFix(Rules.NeverCalled)
{
    protected override (string Title, SyntaxNode Replacement)? Fix(
        SyntaxNode node, Diagnostic diagnostic, SemanticModel model) =>
        node is MethodDeclarationSyntax method
        && diagnostic.Properties.TryGetValue(HandlerMethodAnalyzer.NameProperty, out string? name)
        && diagnostic.Properties.TryGetValue(HandlerMethodAnalyzer.ModifiersProperty, out string? modifiers)
            ? ($"Make it '{modifiers} {name}'", MakeCallback(method, name!, modifiers!))
            : null;

    // What says nothing about who may call it, such as async, stays.
    private static MethodDeclarationSyntax MakeCallback(MethodDeclarationSyntax method, string name, string modifiers)
    {
        SyntaxTriviaList leading = method.GetLeadingTrivia();
        IEnumerable<SyntaxToken> kept = method.Modifiers.Where(
            static modifier => modifier.Kind() is SyntaxKind.AsyncKeyword or SyntaxKind.UnsafeKeyword);
        IEnumerable<SyntaxToken> added = modifiers.Split(' ').Select(static word =>
            SyntaxFactory.ParseToken(word).WithTrailingTrivia(SyntaxFactory.Space));
        return method
            .WithoutLeadingTrivia()
            .WithModifiers(SyntaxFactory.TokenList(added.Concat(kept.Select(static token => token.WithoutTrivia()
                .WithTrailingTrivia(SyntaxFactory.Space)))))
            .WithIdentifier(SyntaxFactory.Identifier(name).WithTriviaFrom(method.Identifier))
            .WithReturnType(method.ReturnType.WithoutLeadingTrivia())
            .WithLeadingTrivia(leading);
    }
}
