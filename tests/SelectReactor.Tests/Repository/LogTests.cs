using System.Reflection;
using Microsoft.Extensions.Logging;
using SelectReactor.Dispatch;

namespace SelectReactor.Tests.Repository;

public sealed class LogTests
{
    private static readonly LoggerMessageAttribute[] _messages =
    [
        .. typeof(ReactorLog).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods(BindingFlags.Static | BindingFlags.Public))
            .Select(static method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>(),
    ];

    [Test]
    public void Ids_AreUnique() =>
        Assert.That(_messages.Select(static message => message.EventId), Is.Unique.And.Not.Empty);

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
