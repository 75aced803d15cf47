using System.Runtime.CompilerServices;

namespace SelectReactor.Soak;

/// <summary>What a scenario found wrong.</summary>
internal sealed class RequirementException(string message) : Exception(message);

/// <summary>What has to hold in a scenario, whoever runs it.</summary>
internal static class Require
{
    public static void That(bool condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        if (!condition)
        {
            throw new RequirementException($"It does not hold: {what}.");
        }
    }

    public static void Equal<T>(T actual, T expected, [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (!EqualityComparer<T>.Default.Equals(actual, expected))
        {
            throw new RequirementException($"{what} is {actual}, not {expected}.");
        }
    }
}
