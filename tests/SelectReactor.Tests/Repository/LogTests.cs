using System.Reflection;
using Microsoft.Extensions.Logging;
using SelectReactor.Dispatch;

namespace SelectReactor.Tests.Repository;

public sealed class LogTests
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public
        | BindingFlags.NonPublic;

    private static readonly LoggerMessageAttribute[] _messages =
    [
        .. typeof(ReactorLog).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods(BindingFlags.Static | BindingFlags.Public))
            .Select(static method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>(),
    ];

    private static readonly Assembly[] _assemblies =
    [
        typeof(Reactor).Assembly, typeof(EpollSelector).Assembly, typeof(Testing.SimulatedNetwork).Assembly,
        typeof(HostedReactor).Assembly,
    ];

    [Test]
    public void Ids_AreUnique() =>
        Assert.That(_messages.Select(static message => message.EventId), Is.Unique.And.Not.Empty);

    // The generator writes several classes in either order: a build would not give the same bytes twice.
    [TestCaseSource(nameof(_assemblies))]
    public void OneClass_HasAllMessagesOfAnAssembly(Assembly assembly) =>
        Assert.That(
            assembly.GetTypes().Count(static type => type.GetMethods(Any).Any(
                static method => method.IsDefined(typeof(LoggerMessageAttribute)))),
            Is.LessThan(2));

    [TestCase(22, LogLevel.Debug, "reset by its peer")]
    [TestCase(23, LogLevel.Error, "handler")]
    [TestCase(42, LogLevel.Warning, "out of resources")]
    [TestCase(61, LogLevel.Warning, "fails")]
    public void Levels_FitWhoIsToBlame(int id, LogLevel level, string text)
    {
        LoggerMessageAttribute message = _messages.Single(message => message.EventId == id);

        Assert.That(message.Level, Is.EqualTo(level));
        Assert.That(message.Message, Does.Contain(text));
    }
}
