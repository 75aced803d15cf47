using Microsoft.CodeAnalysis;

namespace SelectReactor.Analyzers;

/// <summary>All rules. Each has a section of its own in docs/analyzers.md.</summary>
internal static class Rules
{
    private const string Page = "https://example.org/selectreactor/blob/main/docs/analyzers.md";
    private const string Usage = "Usage";
    private const string Reliability = "Reliability";

    public static readonly DiagnosticDescriptor AsyncVoid = new(
        "SR0001",
        "A callback is async void",
        "'{0}' is async void: nothing waits for it, and an exception in it closes no connection; {1}",
        Reliability,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0001");

    public static readonly DiagnosticDescriptor Blocking = new(
        "SR0002",
        "A callback blocks the reactor's thread",
        "'{0}' blocks the reactor's thread, and every connection waits; {1}",
        Reliability,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0002");

    public static readonly DiagnosticDescriptor NeverCalled = new(
        "SR0003",
        "A handler method is never called",
        "The reactor never calls '{0}': {1}",
        Usage,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0003");

    public static readonly DiagnosticDescriptor EndlessRead = new(
        "SR0004",
        "A read loop ignores the end of the input",
        "The loop does not see that the peer has ended its stream: '{0}' then completes at once each time; "
            + "leave the loop when IsCompleted of the result is true",
        Reliability,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0004");

    public static readonly DiagnosticDescriptor UseAfterAdvance = new(
        "SR0005",
        "Received bytes are used after AdvanceTo",
        "'{0}' refers to received bytes, which are not valid after AdvanceTo; use it before AdvanceTo, or copy it",
        Reliability,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0005");

    public static readonly DiagnosticDescriptor KeptBuffer = new(
        "SR0006",
        "Received bytes are kept without a copy",
        "'{0}' keeps received bytes, which are not valid after {1}; keep a copy, for example by ToArray",
        Reliability,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0006");
}
