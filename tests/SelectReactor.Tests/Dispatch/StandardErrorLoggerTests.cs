using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Dispatch;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>What a program sees that sets no logger.</summary>
[NonParallelizable]
public sealed class StandardErrorLoggerTests
{
    [Test]
    public void WithoutALogger_AFaultIsOneLineOnStandardError()
    {
        Assert.That(ErrorsOf(new ReactorOptions()), Is.EqualTo(
            "SelectReactor: A callback that was posted to the reactor threw an exception. The loop goes on. "
            + "System.IO.InvalidDataException: of the user"));
    }

    [Test]
    public void NullLogger_SilencesIt() =>
        Assert.That(ErrorsOf(new ReactorOptions { Logger = NullLogger.Instance }), Is.Empty);

    [TestCase(LogLevel.Trace, false)]
    [TestCase(LogLevel.Debug, false)]
    [TestCase(LogLevel.Information, false)]
    [TestCase(LogLevel.Warning, true)]
    [TestCase(LogLevel.Error, true)]
    [TestCase(LogLevel.Critical, true)]
    [TestCase(LogLevel.None, false)]
    public void WarningsAndErrors_AreWritten(LogLevel level, bool isWritten)
    {
        using var writer = new StringWriter();
        var logger = new StandardErrorLogger(() => writer);
        Log(logger, level);

        Assert.That(logger.IsEnabled(level), Is.EqualTo(isWritten));
        Assert.That(writer.ToString(), Is.EqualTo(isWritten ? $"SelectReactor: message{Environment.NewLine}" : ""));
    }

    [Test]
    public void ALine_HasTheFirstFrameOfTheUser()
    {
        const string Stack = """
            First line.
               at System.Threading.Tasks.Task.Wait()
               at Chat.Room.OnReadable(Connection connection) in /src/Room.cs:line 7
               at Chat.Program.Main()
            """;

        Assert.That(
            StandardErrorLogger.Line(Stack, null),
            Is.EqualTo(
                "SelectReactor: First line. (at Chat.Room.OnReadable(Connection connection) in /src/Room.cs:line 7)"));
        Assert.That(
            StandardErrorLogger.Line("First line.\n   at System.Threading.Tasks.Task.Wait()\n   at System.X()", null),
            Is.EqualTo("SelectReactor: First line. (at System.Threading.Tasks.Task.Wait())"));
    }

    [Test]
    public void AnExceptionOfSeveralLines_StaysOnOne()
    {
        string line = StandardErrorLogger.Line("Message.", new InvalidDataException("one\ntwo\r\nthree"));

        Assert.That(line, Is.EqualTo("SelectReactor: Message. System.IO.InvalidDataException: one two three"));
    }

    [Test]
    public void ALine_NamesTheCausesOfAnException()
    {
        var error = new IOException("outer", new InvalidDataException("middle", new TimeoutException("inner")));

        Assert.That(StandardErrorLogger.Line("Message.", error), Is.EqualTo(
            "SelectReactor: Message. System.IO.IOException: outer, caused by System.IO.InvalidDataException: middle, "
            + "caused by System.TimeoutException: inner"));
    }

    [Test]
    public void ControlCharacters_DoNotReachTheTerminal() =>
        Assert.That(
            StandardErrorLogger.Line("Bell \a.", new InvalidDataException("\u001b[2J\u009b\ttext")),
            Is.EqualTo("SelectReactor: Bell  . System.IO.InvalidDataException:  [2J  text"));

    [Test]
    public void AStreamThatIsClosed_HarmsNothing()
    {
        var writer = new StringWriter();
        writer.Dispose();
        var logger = new StandardErrorLogger(() => writer);

        Assert.That(() => Log(logger, LogLevel.Error), Throws.Nothing);
        Assert.That(
            static () => Log(new StandardErrorLogger(static () => throw new IOException()), LogLevel.Error),
            Throws.Nothing);
    }

    private static void Log(StandardErrorLogger logger, LogLevel level) =>
        logger.Log(level, default, "message", null, static (state, _) => state);

    private static string ErrorsOf(ReactorOptions options)
    {
        TextWriter before = Console.Error;
        using var writer = new StringWriter();
        Console.SetError(writer);
        try
        {
            using var reactor = new Reactor(options);
            var fault = new InvalidDataException("of the user");
            reactor.Post(() => throw fault);
            reactor.RunOnce(TimeSpan.Zero);
        }
        finally
        {
            Console.SetError(before);
        }

        string written = writer.ToString();
        int frame = written.IndexOf(" (at ", StringComparison.Ordinal);
        Assert.That(written.Count(static c => c == '\n'), Is.LessThanOrEqualTo(1));
        return frame < 0 ? written : written[..frame];
    }
}
