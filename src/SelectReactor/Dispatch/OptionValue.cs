namespace SelectReactor.Dispatch;

/// <summary>Checks the values of options. Each method returns the value, or throws an
/// <see cref="ArgumentOutOfRangeException"/>.</summary>
internal static class OptionValue
{
    public static int AtLeastOne(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        return value;
    }

    public static TimeSpan AtLeastOneSecond(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1));
        return value;
    }

    public static TimeSpan NotNegative(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
        return value;
    }

    public static TimeSpan AboveZeroOrInfinite(TimeSpan value)
    {
        if (value != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
        }

        return value;
    }
}
