using System.Globalization;

namespace SelectReactor.Diagnostics;

/// <summary>The parts of a dump. All of it is for people.</summary>
internal static class DumpText
{
    /// <summary>In the largest unit that leaves a number above one.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { Ticks: 0 } => "0 s",
        { TotalSeconds: < 1 } => Text($"{age.TotalMilliseconds:0.#} ms"),
        { TotalMinutes: < 2 } => Text($"{age.TotalSeconds:0.#} s"),
        { TotalHours: < 2 } => Text($"{age.TotalMinutes:0} min"),
        { TotalDays: < 2 } => Text($"{age.TotalHours:0.#} h"),
        _ => Text($"{age.TotalDays:0.#} d"),
    };

    public static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => Text($"{bytes} B"),
        < 10_000_000 => Text($"{bytes / 1000.0:0} kB"),
        < 10_000_000_000 => Text($"{bytes / 1e6:0} MB"),
        _ => Text($"{bytes / 1e9:0} GB"),
    };

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>What a part of the loop says of itself. On another thread than the loop's it may change while it is
    /// read, and then there is nothing better to say than that.</summary>
    public static T Try<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (Exception)
        {
            return otherwise;
        }
    }
}
