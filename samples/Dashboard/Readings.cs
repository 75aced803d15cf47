using System.Diagnostics.Metrics;

namespace Dashboard;

/// <summary>Listens to the meter of the library, as an exporter does, and keeps the few numbers of the page.</summary>
internal sealed class Readings : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private Dictionary<string, double> _observed = [];
    private double _longestTick;

    public Readings(IMeterFactory factory)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "SelectReactor" && instrument.Meter.Scope == factory)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The numbers of this moment: those of an instrument's tags are added up, except the direction of
    /// bytes.</summary>
    public IReadOnlyDictionary<string, double> Take(out TimeSpan longestTick)
    {
        lock (_gate)
        {
            _observed = [];
            _listener.RecordObservableInstruments();
            longestTick = TimeSpan.FromSeconds(Math.Max(
                _longestTick, _observed.GetValueOrDefault("selectreactor.loop.lag")));
            _longestTick = 0;
            return _observed;
        }
    }

    public void Dispose() => _listener.Dispose();

    // Histograms are recorded by the loops at any time; the rest only in Take.
    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
        {
            if (instrument.Name == "selectreactor.loop.iteration.duration")
            {
                _longestTick = Math.Max(_longestTick, value);
            }
            else if (instrument.IsObservable)
            {
                string name = instrument.Name;
                foreach ((string tag, object? direction) in tags)
                {
                    name = tag == "network.io.direction" ? $"{name} {direction}" : name;
                }

                _observed[name] = _observed.GetValueOrDefault(name) + value;
            }
        }
    }
}
