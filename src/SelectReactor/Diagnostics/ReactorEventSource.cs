using System.Diagnostics.Tracing;

namespace SelectReactor.Diagnostics;

/// <summary>
/// Counters for tools that read event counters and not meters, such as an <see cref="EventListener"/> in the process
/// or PerfView. They show all reactors of the process. There are none until somebody enables the source.
/// </summary>
[EventSource(Name = Instruments.MeterName)]
internal sealed class ReactorEventSource : EventSource
{
    private readonly List<DiagnosticCounter> _counters = [];

    private ReactorEventSource()
    {
    }

    public static ReactorEventSource Instance { get; } = new();

    /// <summary>All reactors of the process, whatever meter they report to.</summary>
    public CountsRegistry Registry { get; } = new();

    protected override void OnEventCommand(EventCommandEventArgs command)
    {
        if (command.Command != EventCommand.Enable || _counters.Count > 0)
        {
            return;
        }

        Show("active-connections", "Active connections", "", () => Sum(static counts => counts.Active));
        ShowRate("opened-connections", "Connections opened", "", () => Sum(static counts => counts.Opened));
        ShowRate("bytes-received", "Bytes received", "B", () => Sum(static counts => counts.BytesReceived));
        ShowRate("bytes-sent", "Bytes sent", "B", () => Sum(static counts => counts.BytesSent));
        Show(
            "loop-lag",
            "Longest tick under way",
            "ms",
            () => Registry.Gauges().Select(static loop => loop.Lag.TotalMilliseconds).DefaultIfEmpty().Max());
        Show(
            "mailbox-depth",
            "Posted callbacks that wait",
            "",
            () => Registry.Gauges().Sum(static loop => (double)loop.MailboxDepth));
    }

    protected override void Dispose(bool disposing)
    {
        _counters.ForEach(static counter => counter.Dispose());
        base.Dispose(disposing);
    }

    private double Sum(Func<ConnectionCounts, long> number) =>
        Registry.ReadConnections(all => (double)all.Sum(number));

    [NonEvent]
    private void Show(string name, string title, string unit, Func<double> read) =>
        _counters.Add(new PollingCounter(name, this, read) { DisplayName = title, DisplayUnits = unit });

    [NonEvent]
    private void ShowRate(string name, string title, string unit, Func<double> total) =>
        _counters.Add(new IncrementingPollingCounter(name, this, total)
        {
            DisplayName = title,
            DisplayUnits = unit,
            DisplayRateTimeScale = TimeSpan.FromSeconds(1),
        });
}
