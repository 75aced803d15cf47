using System.Buffers;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace SelectReactor.Benchmarks;

/// <summary>
/// What somebody costs who listens to the meter: one message there and back, which is one tick or two and the worst
/// case, since the times are taken once a tick; and a tick in which nothing happens.
/// </summary>
[MemoryDiagnoser]
public class MeterBenchmark
{
    private readonly byte[] _message = new byte[32];
    private Reactor _reactor = null!;
    private Socket _peer = null!;
    private IDisposable? _listening;

    public enum Who
    {
        Nobody,

        /// <summary>A listener that drops what it hears.</summary>
        MeterListener,

        /// <summary>The SDK, which aggregates.</summary>
        OpenTelemetry,
    }

    [ParamsAllValues]
    public Who Listens { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _listening = Listen(Listens);
        _reactor = new Reactor(new ReactorOptions().UseEpoll());
        var listener = _reactor.Listen(new IPEndPoint(IPAddress.Loopback, 0), new EchoHandler());
        _peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _peer.Connect(listener.LocalEndPoint);
        RoundTrip();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _peer.Dispose();
        _reactor.Dispose();
        _listening?.Dispose();
    }

    [Benchmark]
    public int RoundTrip()
    {
        _peer.Send(_message);
        while (_peer.Available < _message.Length)
        {
            _reactor.RunOnce(TimeSpan.Zero);
        }

        return _peer.Receive(_message);
    }

    [Benchmark]
    public int EmptyTick() => _reactor.RunOnce(TimeSpan.Zero);

    private static IDisposable? Listen(Who who)
    {
        if (who == Who.OpenTelemetry)
        {
            return Sdk.CreateMeterProviderBuilder().AddMeter("SelectReactor").AddReader(new NoReader()).Build();
        }

        if (who == Who.Nobody)
        {
            return null;
        }

        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "SelectReactor")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
        listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => { });
        listener.Start();
        return listener;
    }

    private sealed class NoReader : MetricReader;

    private sealed class EchoHandler : ConnectionHandler
    {
        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out var result))
            {
                connection.Append(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }
}
