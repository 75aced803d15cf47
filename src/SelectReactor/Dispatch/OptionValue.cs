using System.Runtime.CompilerServices;

namespace SelectReactor.Dispatch;

/// <summary>Checks the values of options. Each method returns the value, or throws an exception whose message names
/// the option, the value and what is allowed. Called from an option's setter, which gives its name.</summary>
internal static class OptionValue
{
    public static T AtLeast<T>(object options, T value, T min, [CallerMemberName] string option = "")
        where T : IComparable<T> =>
        value.CompareTo(min) >= 0 ? value : throw OutOfRange(options, option, $"at least {min}", value);

    public static int Between(object options, int value, int min, int max, [CallerMemberName] string option = "") =>
        value >= min && value <= max ? value : throw OutOfRange(options, option, $"from {min} to {max}", value);

    public static TimeSpan NotNegative(object options, TimeSpan value, [CallerMemberName] string option = "") =>
        value >= TimeSpan.Zero ? value : throw OutOfRange(options, option, "zero or more", value);

    public static TimeSpan AboveZeroOrInfinite(
        object options, TimeSpan value, [CallerMemberName] string option = "") =>
        value > TimeSpan.Zero || value == Timeout.InfiniteTimeSpan
            ? value
            : throw OutOfRange(options, option, "above zero, or Timeout.InfiniteTimeSpan for no limit", value);

    public static T Defined<T>(object options, T value, [CallerMemberName] string option = "")
        where T : struct, Enum =>
        Enum.IsDefined(value)
            ? value
            : throw OutOfRange(options, option, string.Join(" or ", Enum.GetNames<T>()), value);

    public static T NotNull<T>(object options, T? value, [CallerMemberName] string option = "")
        where T : class =>
        value ?? throw new ArgumentNullException(option, $"{options.GetType().Name}.{option} must not be null.");

    private static ArgumentOutOfRangeException OutOfRange(
        object options, string option, string allowed, object value) =>
        new(option, $"{options.GetType().Name}.{option} must be {allowed}, not {value}.");
}
