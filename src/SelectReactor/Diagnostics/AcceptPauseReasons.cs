namespace SelectReactor.Diagnostics;

/// <summary>The values of the tag <c>selectreactor.pause_reason</c> of a listener: why it does not accept.</summary>
internal static class AcceptPauseReasons
{
    /// <summary>The program has called Pause.</summary>
    public const int Program = 0;

    /// <summary>Accepting has failed, and is tried again soon.</summary>
    public const int AcceptError = 1;

    /// <summary>A limit on connections is reached.</summary>
    public const int ConnectionLimit = 2;

    public static IReadOnlyList<string> All { get; } = ["program", "accept_error", "connection_limit"];
}
