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

    public static readonly DiagnosticDescriptor OtherThread = new(
        "SR0007",
        "A connection is used on another thread",
        "'{0}' of a connection throws here, on another thread than the reactor's; "
            + "call it in a function for Post or InvokeAsync of the reactor",
        Reliability,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0007");

    public static readonly DiagnosticDescriptor AwaitBeforeRun = new(
        "SR0008",
        "A program awaits the loop before it runs",
        "This await never ends: only the loop completes '{0}', and the loop runs further down; "
            + "put the code into Run(async () => …), or run the loop on a ReactorThread",
        Reliability,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0008");

    public static readonly DiagnosticDescriptor NeverConsumed = new(
        "SR0009",
        "Received bytes are never consumed",
        "'{0}' reads, and nothing in the type calls AdvanceTo: what was received stays, and the handler is not "
            + "called again for it; call AdvanceTo after each read that gave something",
        Reliability,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page + "#sr0009");
}
