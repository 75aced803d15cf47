namespace SelectReactor.Portability;

/// <summary>Assertions: each throws a <see cref="CheckException"/> that says what was expected and what was
/// found.</summary>
internal static class Check
{
    public static void That(bool condition, string expectation)
    {
        if (!condition)
        {
            throw new CheckException($"expected: {expectation}");
        }
    }

    public static void Equal<T>(T expected, T actual, string subject)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new CheckException($"{subject}: expected {expected}, found {actual}");
        }
    }

    public static void SameBytes(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        Equal(expected.Length, actual.Length, "number of bytes");
        Equal(expected.Length, expected.CommonPrefixLength(actual), "number of equal bytes");
    }

    /// <summary>The exception that an action throws; a failed check if it throws none or one of another
    /// type.</summary>
    public static T Throws<T>(Action action)
        where T : Exception
    {
        try
        {
            action();
        }
        catch (T expected)
        {
            return expected;
        }

        throw new CheckException($"expected: {typeof(T).Name}");
    }
}
