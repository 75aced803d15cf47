using Microsoft.Extensions.Logging;

namespace SelectReactor.Dispatch;

/// <summary>The logger of a reactor that was given none: warnings and errors go to a stream, one line each. It never
/// throws, also if the stream is closed.</summary>
internal sealed class StandardErrorLogger(Func<TextWriter> writer) : ILogger
{
    // Where an exception was thrown matters most, and a frame of the framework or of the library says little.
    private static readonly string[] _others = ["System.", "Microsoft.", "SelectReactor."];

    private bool _isLoaded;

    /// <summary>Writes to the standard error stream that is set at that time.</summary>
    public static StandardErrorLogger Instance { get; } = new(static () => Console.Error);

    /// <summary>Opens the stream, and loads the code that a message needs. Both take descriptors, and the message that
    /// descriptors have run out must not need one.</summary>
    public void Open()
    {
        try
        {
            writer();
            if (!_isLoaded)
            {
                _isLoaded = true;
                FirstFrame(Environment.StackTrace);
            }
        }
        catch (Exception)
        {
            // The first message tries again.
            return;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and < LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        try
        {
            // One call, so that lines of several threads do not mix.
            writer().WriteLine(Line(formatter(state, exception), exception));
        }
        catch (Exception)
        {
            // Nobody is left who could be told.
            return;
        }
    }

    /// <summary>The first line of the message, the exception with its causes, and the first frame of the stack that
    /// is the user's. The stack is that of the exception, or follows the first line of the message.</summary>
    internal static string Line(string message, Exception? exception)
    {
        string[] lines = message.Split('\n', 2);
        string line = $"SelectReactor: {lines[0].TrimEnd()}";
        for (Exception? each = exception; each is not null; each = each.InnerException)
        {
            string link = each == exception ? " " : ", caused by ";
            line += $"{link}{each.GetType()}: {each.Message.ReplaceLineEndings(" ")}";
        }

        string? frame = FirstFrame(exception?.StackTrace ?? (lines.Length > 1 ? lines[1] : ""));
        return WithoutControls(frame is null ? line : $"{line} ({frame})");
    }

    // What a peer has sent may be part of a message, and a terminal would obey it.
    private static string WithoutControls(string line) => string.Create(line.Length, line, static (to, from) =>
    {
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = char.IsControl(from[i]) ? ' ' : from[i];
        }
    });

    private static string? FirstFrame(string stack)
    {
        string[] frames = stack.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return frames.FirstOrDefault(IsUsers) ?? frames.FirstOrDefault();
    }

    private static bool IsUsers(string frame)
    {
        int name = frame.IndexOf(' ', StringComparison.Ordinal) + 1;
        return frame.StartsWith("at ", StringComparison.Ordinal)
            && !_others.Any(other => frame.AsSpan(name).StartsWith(other, StringComparison.Ordinal));
    }
}
