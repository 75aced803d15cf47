namespace SelectReactor.Diagnostics;

/// <summary>The values of the tag <c>selectreactor.close_reason</c>, in the order of the enumeration
/// CloseKind.</summary>
internal static class CloseReasons
{
    public static IReadOnlyList<string> All { get; } =
    [
        "none",
        "local",
        "peer_closed",
        "peer_reset",
        "aborted",
        "handler_fault",
        "protocol_error",
        "timed_out",
        "limit_exceeded",
        "reactor_stopped",
    ];
}
