using System.Globalization;
using System.Text;

namespace SelectReactor.Testing;

/// <summary>
/// What happened on a <see cref="SimulatedNetwork"/>, one line an event: the time in seconds, the host, and its
/// action. Two runs with the same <see cref="Hash"/> are the same run.
/// </summary>
public sealed class NetworkTrace
{
    private readonly Queue<(long At, string Line)> _lines = new();
    private readonly int _capacity;

    internal NetworkTrace(int capacity) => _capacity = capacity;

    /// <summary>Identifies the run. It covers every line since the beginning, including lines that are no longer
    /// kept.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <summary>How many lines there were since the beginning.</summary>
    public long Count { get; private set; }

    /// <summary>The lines that are kept: the last ones, as many as
    /// <see cref="SimulatedNetworkOptions.TraceCapacity"/> allows.</summary>
    public IEnumerable<string> Lines => _lines.Select(static line => string.Create(
        CultureInfo.InvariantCulture, $"{(double)line.At / TimeSpan.TicksPerSecond,14:F7} {line.Line}"));

    /// <summary>The lines that are kept, as one text.</summary>
    public override string ToString() => new StringBuilder().AppendJoin('\n', Lines).ToString();

    internal void Add(long at, string line)
    {
        Count++;
        Mix((ulong)at);
        foreach (char letter in line)
        {
            Mix(letter);
        }

        if (_lines.Count == _capacity)
        {
            _lines.Dequeue();
        }

        _lines.Enqueue((at, line));
    }

    // FNV-1a, whose result depends on nothing but its input, unlike string.GetHashCode.
    private void Mix(ulong value) => Hash = (Hash ^ value) * 1099511628211;
}
