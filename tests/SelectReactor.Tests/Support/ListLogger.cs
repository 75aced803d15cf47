using Microsoft.Extensions.Logging;

namespace SelectReactor.Tests.Support;

/// <summary>Keeps what was logged.</summary>
public sealed class ListLogger : ILogger
{
    public List<(LogLevel Level, int Id, string Message, Exception? Exception)> Entries { get; } = [];

    /// <summary>Called after each message, on the thread that logs it.</summary>
    public Action<(LogLevel Level, int Id, string Message, Exception? Exception)>? Logged { get; init; }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        (LogLevel Level, int Id, string Message, Exception? Exception) entry =
            (logLevel, eventId.Id, formatter(state, exception), exception);
        lock (Entries)
        {
            Entries.Add(entry);
        }

        Logged?.Invoke(entry);
    }
}
