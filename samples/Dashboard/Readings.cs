using System.Diagnostics.Metrics;

namespace Dashboard;

/// <summary>Listens to the meter of the library, as an exporter does, and keeps the few numbers of the page.</summary>
internal sealed class Readings : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private Dictionary<string, double> _observed = [];
    private int _port;
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

    /// <summary>The numbers of this moment. Those of connections are of the server on this port alone, and not of the
    /// page; bytes have their direction after the name; the rest is of all loops.</summary>
    public IReadOnlyDictionary<string, double> Take(int port, out TimeSpan longestTick)
    {
        lock (_gate)
        {
            _port = port;
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
    private void Add(Instrument instrument, double number, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
        {
            if (instrument.Name == "selectreactor.loop.iteration.duration")
            {
                _longestTick = Math.Max(_longestTick, number);
            }
            else if (instrument.IsObservable)
            {
                string name = instrument.Name;
                foreach ((string tag, object? value) in tags)
                {
                    if (tag == "server.port" && value is int port && port != _port)
                    {
                        return;
                    }

                    name = tag == "network.io.direction" ? $"{name} {value}" : name;
                }

                _observed[name] = _observed.GetValueOrDefault(name) + number;
            }
        }
    }
}
