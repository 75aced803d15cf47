using System.Diagnostics;
using System.Globalization;
using System.Text;
using CsCheck;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>
/// Runs a property over generated values. Each run sees others; a failure is shrunk and reported with the seed that
/// brings it back. With <c>FUZZ_EFFORT=100</c> in the environment there are a hundred times as many attempts.
/// </summary>
internal static class Fuzz
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private static readonly int _effort =
        int.Parse(Environment.GetEnvironmentVariable("FUZZ_EFFORT") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>Fails when the property does not hold for a value, or does not come to an end with it.</summary>
    /// <param name="values">Where the values come from.</param>
    /// <param name="attempts">How many of them a run of the suite affords.</param>
    /// <param name="property">Throws when it does not hold.</param>
    /// <param name="print">Shows a value so that it can be read.</param>
    public static void Run<T>(Gen<T> values, int attempts, Action<T> property, Func<T, string>? print = null)
    {
        long begin = Stopwatch.GetTimestamp();
        long iterations = (long)attempts * _effort;
        T? current = default;
        long begun = 0;
        // One thread: what a property measures and reuses is that thread's, and the machine is shared.
        var sampling = Task.Run(() => values.Sample(Attempt, iter: iterations, threads: 1, print: print));
        for (long seen = -1; Task.WaitAny([sampling], _patience) < 0; seen = Volatile.Read(ref begun))
        {
            long now = Volatile.Read(ref begun);
            Assert.That(now, Is.Not.EqualTo(seen), () => $"an attempt does not end: {Print(current!)}");
        }

        sampling.GetAwaiter().GetResult();
        TestContext.Out.WriteLine($"{iterations} attempts in {Stopwatch.GetElapsedTime(begin).TotalSeconds:F1} s");

        string Print(T value) => print is null ? $"{value}" : print(value);

        void Attempt(T value)
        {
            current = value;
            Volatile.Write(ref begun, begun + 1);
            property(value);
        }
    }

    /// <summary>Fails with a plain exception: NUnit records an assertion for each smaller value too.</summary>
    public static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException(what);
        }
    }

    public static void RequireEqual<T>(T actual, T expected, string what) =>
        Require(EqualityComparer<T>.Default.Equals(actual, expected), $"{what}: {actual} and not {expected}");

    public static void RequireSame(ReadOnlySpan<byte> actual, ReadOnlySpan<byte> expected, string what)
    {
        if (!actual.SequenceEqual(expected))
        {
            int at = actual.CommonPrefixLength(expected);
            Require(false, $"{what}: from byte {at} on {Show(actual[at..])} and not {Show(expected[at..])}");
        }
    }

    /// <summary>Bytes as they would stand in a literal, with long runs cut.</summary>
    public static string Show(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder("\"");
        for (int i = 0; i < bytes.Length;)
        {
            int run = bytes[i..].IndexOfAnyExcept(bytes[i]) is >= 0 and int end ? end : bytes.Length - i;
            int shown = run > 20 ? 1 : run;
            for (int count = 0; count < shown; count++)
            {
                text.Append(Show(bytes[i]));
            }

            text.Append(shown == run ? string.Empty : $"<{run} times>");
            i += run;
            if (text.Length > 2000)
            {
                return $"{text}\" and {bytes.Length - i} more";
            }
        }

        return $"{text}\"";
    }

    private static string Show(byte value) => value switch
    {
        (byte)'\r' => "\\r",
        (byte)'\n' => "\\n",
        (byte)'\\' => "\\\\",
        >= 32 and < 127 => $"{(char)value}",
        _ => $"\\x{value:x2}",
    };
}
