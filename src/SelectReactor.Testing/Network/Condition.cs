using System.Runtime.CompilerServices;

namespace SelectReactor.Testing.Network;

/// <summary>What the conditions of a network may be.</summary>
internal static class Condition
{
    public static TimeSpan NotNegative(TimeSpan value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, name);
        return value;
    }

    public static T AtLeast<T>(T value, T min, [CallerMemberName] string name = "")
        where T : IComparable<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, min, name);
        return value;
    }

    /// <summary>Verifies a chance: from 0 to below 1.</summary>
    public static double Chance(double value, [CallerMemberName] string name = "") => value is >= 0 and < 1
        ? value
        : throw new ArgumentOutOfRangeException(name, value, "A chance is at least 0 and less than 1.");
}
