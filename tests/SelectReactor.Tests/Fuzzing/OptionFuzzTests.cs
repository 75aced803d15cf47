using System.Reflection;
using CsCheck;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>Every option that is a number or a duration keeps its value, or refuses it as it should.</summary>
public sealed class OptionFuzzTests
{
    private static readonly PropertyInfo[] _options =
    [
        .. new[]
            {
                typeof(ReactorOptions),
                typeof(ListenerOptions),
                typeof(ConnectOptions),
                typeof(ConnectionOptions),
                typeof(ProxyProtocolOptions),
            }
            .SelectMany(static type => type.GetProperties())
            .Where(static option => Underlying(option) == typeof(int) || Underlying(option) == typeof(TimeSpan)),
    ];

    private static Gen<long> Number { get; } = Gen.Frequency(
        (1, Gen.OneOf(long.MinValue, int.MinValue, -10_000, -1, 0, 1, int.MaxValue, long.MaxValue)),
        (1, Gen.Long));

    [Test]
    public void Option_KeepsItsValueOrRefusesIt() =>
        Fuzz.Run(
            Gen.Select(Gen.OneOf(_options), Number),
            10_000,
            static value =>
            {
                (PropertyInfo option, long number) = value;
                object given = Underlying(option) == typeof(int) ? (int)number : TimeSpan.FromTicks(number);
                object options = Activator.CreateInstance(option.DeclaringType!)!;
                try
                {
                    option.SetValue(options, given);
                }
                catch (TargetInvocationException exception)
                {
                    Exception? reason = exception.InnerException;
                    Fuzz.Require(reason is ArgumentOutOfRangeException, $"{given} throws {reason}");

                    // The shortest keep-alive is a second, and nothing asks for more of a duration.
                    bool isSmall = given is int and < 1 || (given is TimeSpan && number < TimeSpan.TicksPerSecond);
                    Fuzz.Require(isSmall, $"{given} is large and refused");
                    return;
                }

                Fuzz.RequireEqual(option.GetValue(options), given, "the value kept");
            },
            static value => $"{value.Item1.DeclaringType!.Name}.{value.Item1.Name} = {value.Item2}");

    private static Type Underlying(PropertyInfo option) =>
        Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType;
}
