using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Testing.InMemory;

/// <summary>
/// Where the library reports what the user's code threw: handlers, timers, posts. A test wants it thrown, but only
/// once the library has done what it does about it, so that the test can look at that as well.
/// </summary>
internal sealed class FaultLog : ILogger
{
    private ExceptionDispatchInfo? _first;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && exception is not null)
        {
            _first ??= ExceptionDispatchInfo.Capture(exception);
        }
    }

    /// <summary>Throws the first of those since the last call, if there was one.</summary>
    public void ThrowFirst()
    {
        ExceptionDispatchInfo? first = _first;
        _first = null;
        first?.Throw();
    }
}
