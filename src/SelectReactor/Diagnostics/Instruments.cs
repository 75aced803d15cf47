using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace SelectReactor.Diagnostics;

/// <summary>
/// The meter of the library with its instruments, one for each factory. What the loop counts in any case is observed:
/// it costs nothing until somebody asks, and an increment and its decrement never fall apart. The rest is recorded
/// where it happens, and only while somebody listens. Any thread.
/// </summary>
internal sealed class Instruments
{
    public const string MeterName = "SelectReactor";

    private static readonly double[] _loopTimes =
        [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

    private static readonly double[] _lifetimes =
        [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600];

    private static readonly double[] _handshakeTimes =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private static readonly long[] _keyCounts = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

    private static readonly ConditionalWeakTable<IMeterFactory, Instruments> _ofFactories = [];

    // Made when the first reactor reports to it. Tools take meters of one name as one: where all reactors report to a
    // host's meter, a second one without reactors would hide its numbers behind zeros.
    private static readonly Lazy<Instruments> _ofProcess = new(static () => new(new Meter(MeterName, Version)));
    private static readonly object _gate = new();
    private readonly Counter<long> _refused;
    private readonly Counter<long> _acceptErrors;
    private readonly Counter<long> _connectErrors;
    private readonly Histogram<double> _lifetime;
    private readonly Histogram<double> _handshake;
    private readonly Histogram<double> _tick;
    private readonly Histogram<double> _wait;
    private readonly Histogram<long> _readyKeys;
    private bool _hasReported;

    private Instruments(Meter meter)
    {
        Registry = new CountsRegistry();
        _refused = meter.CreateCounter<long>(
            "selectreactor.refused_connections", "{connection}", "Clients that a listener has refused.");
        _acceptErrors = meter.CreateCounter<long>(
            "selectreactor.accept_errors", "{error}", "Errors of accept.");
        _connectErrors = meter.CreateCounter<long>(
            "selectreactor.connect_errors", "{error}", "Outgoing connections that were not made.");
        _lifetime = Times(meter, "selectreactor.connection.duration", "How long connections were open.", _lifetimes);
        _handshake = Times(
            meter, "selectreactor.tls.handshake.duration", "The time of TLS handshakes.", _handshakeTimes);
        _tick = Times(
            meter,
            "selectreactor.loop.iteration.duration",
            "The time that a loop serves between two waits.",
            _loopTimes);
        _wait = Times(
            meter, "selectreactor.selector.wait.duration", "The time that a loop waits in its selector.", _loopTimes);
        _readyKeys = meter.CreateHistogram(
            "selectreactor.loop.ready_keys",
            "{key}",
            "Handles that were ready after one wait.",
            tags: null,
            new InstrumentAdvice<long> { HistogramBucketBoundaries = _keyCounts });
        new ObservedInstruments(Registry).AddTo(meter);
    }

    /// <summary>The reactors that report to this meter.</summary>
    public CountsRegistry Registry { get; }

    /// <summary>Whether somebody listens to the times of the loop.</summary>
    public bool IsLoopListenedTo => _tick.Enabled || _wait.Enabled || _readyKeys.Enabled;

    public bool IsHandshakeListenedTo => _handshake.Enabled;

    /// <summary>The instruments of a factory's meter; without one those of a meter of the process.</summary>
    public static Instruments Of(IMeterFactory? factory)
    {
        if (factory is null)
        {
            return _ofProcess.Value;
        }

        // A second meter's instruments would be observed, too.
        lock (_gate)
        {
            if (!_ofFactories.TryGetValue(factory, out Instruments? instruments))
            {
                instruments = new Instruments(factory.Create(new MeterOptions(MeterName) { Version = Version }));
                _ofFactories.Add(factory, instruments);
            }

            return instruments;
        }
    }

    /// <summary>A listener to the meter or to the spans threw. It harms its own numbers, and must harm neither the
    /// loop nor a connection. The first one is logged, by a reactor that is left.</summary>
    public void Report(Exception exception)
    {
        if (!_hasReported
            && Registry.Gauges().FirstOrDefault() is { } loop
            && !Interlocked.Exchange(ref _hasReported, true))
        {
            loop.Report(exception);
        }
    }

    public void RecordTick(double seconds, int readyKeys)
    {
        try
        {
            _tick.Record(seconds);
            _readyKeys.Record(readyKeys);
        }
        catch (Exception exception)
        {
            Report(exception);
        }
    }

    public void RecordWait(double seconds) => Record(_wait, seconds, []);

    public void RecordLifetime(EndpointTags tags, int reason, TimeSpan lifetime)
    {
        if (_lifetime.Enabled)
        {
            Record(_lifetime, lifetime.TotalSeconds, tags.With(TagNames.CloseReason, CloseReasons.All[reason]));
        }
    }

    public void CountRefused(EndpointTags tags, string errorType) => Count(_refused, tags, errorType);

    public void CountAcceptError(EndpointTags tags, string errorType) => Count(_acceptErrors, tags, errorType);

    public void CountConnectError(EndpointTags tags, string errorType) => Count(_connectErrors, tags, errorType);

    /// <summary>A TLS handshake has ended.</summary>
    /// <param name="role">The role of the connection.</param>
    /// <param name="time">How long it took.</param>
    /// <param name="version">The protocol's version, such as "1.3". Null if the handshake has failed.</param>
    /// <param name="errorType">Why it has failed; otherwise null.</param>
    public void RecordHandshake(ConnectionRole role, TimeSpan time, string? version, string? errorType)
    {
        List<KeyValuePair<string, object?>> tags = [new(TagNames.Role, SnakeCase.Of(role.ToString()))];
        if (version is not null)
        {
            tags.Add(new(TagNames.TlsVersion, version));
        }

        if (errorType is not null)
        {
            tags.Add(new(TagNames.ErrorType, errorType));
        }

        Record(_handshake, time.TotalSeconds, [.. tags]);
    }

    private void Record(
        Histogram<double> histogram, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        try
        {
            histogram.Record(value, tags);
        }
        catch (Exception exception)
        {
            Report(exception);
        }
    }

    private static string? Version => typeof(Instruments).Assembly.GetName().Version?.ToString(3);

    private void Count(Counter<long> counter, EndpointTags tags, string errorType)
    {
        if (!counter.Enabled)
        {
            return;
        }

        try
        {
            counter.Add(1, tags.With(TagNames.ErrorType, errorType));
        }
        catch (Exception exception)
        {
            Report(exception);
        }
    }

    private static Histogram<double> Times(Meter meter, string name, string description, double[] buckets) =>
        meter.CreateHistogram(
            name,
            "s",
            description,
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = buckets });
}
