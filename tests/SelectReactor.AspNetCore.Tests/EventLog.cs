using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>Keeps what is logged.</summary>
internal sealed class EventLog : ILoggerProvider
{
    private readonly ConcurrentQueue<Entry> _entries = [];

    public IReadOnlyList<Entry> Entries => [.. _entries];

    /// <summary>What the transport has said about connections.</summary>
    public IEnumerable<Entry> OfTransport => Entries.Where(static entry =>
        entry.Category is "SelectReactor.AspNetCore" or "Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets");

    /// <summary>What the transport and Kestrel have said that an operator would see, but for the address, and for
    /// callbacks that are slow because the machine is.</summary>
    public IEnumerable<Entry> AboveDebug => Entries.Where(static entry => entry.Level > LogLevel.Debug
        && entry.Id.Name is not ("Listening" or "CallbackIsSlow" or "HeartbeatSlow")
        && (entry.Category.StartsWith("SelectReactor", StringComparison.Ordinal)
            || entry.Category.StartsWith("Microsoft.AspNetCore.Server", StringComparison.Ordinal)));

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _entries);

    public void Dispose()
    {
    }

    internal sealed record Entry(string Category, LogLevel Level, EventId Id, string Text, Exception? Exception);

    private sealed class Logger(string category, ConcurrentQueue<Entry> entries) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            entries.Enqueue(new Entry(category, logLevel, eventId, formatter(state, exception), exception));
    }
}
