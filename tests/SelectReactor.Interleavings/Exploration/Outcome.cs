namespace SelectReactor.Interleavings.Exploration;

/// <summary>What an exploration found.</summary>
/// <param name="Schedules">How many were run, each another.</param>
/// <param name="LongestSchedule">The most scheduling points of one.</param>
/// <param name="Failure">What went wrong first, with the schedule that led there; null when nothing did.</param>
internal sealed record Outcome(int Schedules, int LongestSchedule, string? Failure);
