using System.Diagnostics.Metrics;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The meter of one test, and everything that it measures.</summary>
internal sealed class MeterReadings : IMeterFactory
{
    private readonly MeterListener _listener = new();
    private readonly List<Meter> _meters = [];
    private readonly List<Reading> _recorded = [];
    private readonly List<Instrument> _instruments = [];

    public MeterReadings()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == this)
            {
                _instruments.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public IReadOnlyList<Instrument> Instruments => _instruments;

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    /// <summary>The values of an instrument whose tags include these: what was recorded so far, or what is observed
    /// now.</summary>
    public double[] Of(string name, params (string Tag, object Value)[] tags)
    {
        _recorded.RemoveAll(static reading => reading.Instrument.IsObservable);
        _listener.RecordObservableInstruments();
        Assert.That(_instruments.Select(static each => each.Name), Does.Contain(name));
        return
        [
            .. _recorded
                .Where(reading => reading.Instrument.Name == name)
                .Where(reading => tags.All(tag => Equals(reading.Tags.GetValueOrDefault(tag.Tag), tag.Value)))
                .Select(static reading => reading.Value),
        ];
    }

    /// <summary>The only value of an instrument with these tags; 0 if there is none.</summary>
    public double Value(string name, params (string Tag, object Value)[] tags) => Of(name, tags).SingleOrDefault();

    public void Dispose()
    {
        _listener.Dispose();
        _meters.ForEach(static meter => meter.Dispose());
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _recorded.Add(new Reading(instrument, value, tags.ToArray().ToDictionary()));

    private sealed record Reading(Instrument Instrument, double Value, Dictionary<string, object?> Tags);
}
