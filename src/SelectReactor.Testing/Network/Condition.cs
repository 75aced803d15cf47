using System.Runtime.CompilerServices;

namespace SelectReactor.Testing.Network;

/// <summary>Checks the conditions of a network. Each method returns the value, or throws an exception whose message
/// names the option, the value and what is allowed. Called from an option's setter, which gives its name.</summary>
internal static class Condition
{
    public static TimeSpan NotNegative(TimeSpan value, [CallerMemberName] string option = "") =>
        value >= TimeSpan.Zero ? value : throw OutOfRange(option, "zero or more", value);

    public static T AtLeast<T>(T value, T min, [CallerMemberName] string option = "")
        where T : IComparable<T> =>
        value.CompareTo(min) >= 0 ? value : throw OutOfRange(option, $"at least {min}", value);

    public static double Chance(double value, [CallerMemberName] string option = "") =>
        value is >= 0 and < 1 ? value : throw OutOfRange(option, "from 0 to below 1", value);

    private static ArgumentOutOfRangeException OutOfRange(string option, string allowed, object value) =>
        new(option, $"{nameof(SimulatedNetworkOptions)}.{option} must be {allowed}, not {value}.");
}
