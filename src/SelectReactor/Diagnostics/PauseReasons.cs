namespace SelectReactor.Diagnostics;

/// <summary>The values of the tag <c>selectreactor.pause_reason</c>: why a connection does not read.</summary>
internal static class PauseReasons
{
    /// <summary>The handler has paused reading.</summary>
    public const int Handler = 0;

    /// <summary>The handler has not looked at the input that is there.</summary>
    public const int InputFull = 1;

    /// <summary>The peer does not take the output.</summary>
    public const int OutputFull = 2;

    public static IReadOnlyList<string> All { get; } = ["handler", "input_full", "output_full"];
}
