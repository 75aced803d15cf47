using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Dispatch;

/// <summary>Calls the user's logger. Its exceptions go to <see cref="Trace"/>, because they must not end the
/// loop.</summary>
internal sealed class GuardedLogger(ILogger inner) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return inner.IsEnabled(logLevel);
        }
        catch (Exception exception)
        {
            Report(exception);
            return false;
        }
    }

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState,
        Exception?,
        string> formatter)
    {
        try
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception failure)
        {
            Report(failure);
        }
    }

    private static void Report(Exception failure) =>
        Trace.TraceError($"The logger of a reactor failed: {failure.Message}");
}
