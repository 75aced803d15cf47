using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Web;

/// <summary>Keeps what the server logs as a warning or worse.</summary>
internal sealed class LogCollector : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _entries = [];

    /// <summary>What has come since the last call.</summary>
    public IReadOnlyList<string> Take()
    {
        List<string> entries = [];
        while (_entries.TryDequeue(out string? entry))
        {
            entries.Add(entry);
        }

        return entries;
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(LogCollector collector, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                collector._entries.Enqueue($"{logLevel} {category}: {formatter(state, exception)} {exception}");
            }
        }
    }
}
