using System.Runtime.CompilerServices;

namespace SelectReactor.Soak.Workloads;

/// <summary>What a player does wrong on purpose.</summary>
internal sealed class PlannedException : Exception;

/// <summary>One connection of a workload and its two sides.</summary>
internal sealed class Call(int number, ConnectionPlan plan)
{
    public int Number => number;

    public ConnectionPlan Plan => plan;

    public Side? Caller { get; set; }

    /// <summary>Null until the header has arrived.</summary>
    public Side? Callee { get; set; }

    public Task<Connection>? Attempt { get; set; }
}

/// <summary>Remembers the first thing that was wrong: thrown inside a callback, it would only end a
/// connection.</summary>
internal sealed class Judge
{
    private string? _finding;

    /// <summary>Whether the server's reactor is shut down, which ends streams in the middle.</summary>
    public bool IsServerStopping { get; set; }

    public void Expect(bool condition, string what)
    {
        if (!condition)
        {
            _finding ??= what;
        }
    }

    public void Expect(bool condition, [InterpolatedStringHandlerArgument(nameof(condition))] FindingHandler what)
    {
        if (!condition)
        {
            _finding ??= what.ToString();
        }
    }

    public void Verify()
    {
        if (_finding is not null)
        {
            throw new RequirementException($"It does not hold: {_finding}.");
        }
    }

    /// <summary>Makes the text only when it is needed.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct FindingHandler
    {
        private readonly System.Text.StringBuilder? _text;

        public FindingHandler(int literalLength, int formattedCount, bool condition, out bool isEnabled)
        {
            isEnabled = !condition;
            _text = isEnabled ? new System.Text.StringBuilder(literalLength + (8 * formattedCount)) : null;
        }

        public void AppendLiteral(string text) => _text!.Append(text);

        public void AppendFormatted<T>(T value) => _text!.Append(value);

        public override string ToString() => _text!.ToString();
    }
}
