using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Testing.InMemory;

/// <summary>
/// Collects the exceptions of the user's code that the library logs: of handlers, timers and posts. They are thrown
/// to the test after the library has dealt with them, so that the test sees the consequences too.
/// </summary>
internal sealed class FaultLog : ILogger
{
    private readonly HashSet<Exception> _expected = [];
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
        if (IsEnabled(logLevel) && exception is not null && !_expected.Contains(exception))
        {
            _first ??= ExceptionDispatchInfo.Capture(exception);
        }
    }

    /// <summary>Passes over an exception that the test itself causes.</summary>
    public void Expect(Exception exception) => _expected.Add(exception);

    /// <summary>Throws the first exception since the last call, if there was one.</summary>
    public void ThrowFirst()
    {
        ExceptionDispatchInfo? first = _first;
        _first = null;
        first?.Throw();
    }
}
