using System.Diagnostics.Metrics;

namespace SelectReactor.Diagnostics;

/// <summary>The instruments that are read when somebody asks. Any thread.</summary>
internal sealed class ObservedInstruments(CountsRegistry registry)
{
    public void AddTo(Meter meter)
    {
        ObserveConnections(meter);
        ObserveDatagrams(meter);
        ObserveLoops(meter);
    }

    private void ObserveConnections(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "selectreactor.active_connections",
            () => Sum(static counts => counts.Active),
            "{connection}",
            "Connections that are open.");
        meter.CreateObservableCounter(
            "selectreactor.opened_connections",
            () => Sum(static counts => counts.Opened),
            "{connection}",
            "Connections that were given to a handler.");
        meter.CreateObservableCounter(
            "selectreactor.closed_connections",
            () => SumOf(CloseReasons.All, TagNames.CloseReason, static (counts, reason) => counts.Closed(reason)),
            "{connection}",
            "Connections that have ended.");
        meter.CreateObservableUpDownCounter(
            "selectreactor.paused_connections",
            () => Sum(static counts => counts.PausedNow),
            "{connection}",
            "Connections that do not read at the moment.");
        meter.CreateObservableCounter(
            "selectreactor.read_pauses",
            () => SumOf(PauseReasons.All, TagNames.PauseReason, static (counts, reason) => counts.Pauses(reason)),
            "{pause}",
            "Pauses in reading that are over.");
        meter.CreateObservableCounter(
            "selectreactor.read_pause.time",
            () => SumOf(
                PauseReasons.All,
                TagNames.PauseReason,
                static (counts, reason) => counts.PausedTime(reason).TotalSeconds),
            "s",
            "The time of the pauses in reading that are over.");
        meter.CreateObservableUpDownCounter(
            "selectreactor.paused_listeners",
            PausedListeners,
            "{listener}",
            "Listening sockets that do not accept at the moment.");
    }

    private void ObserveDatagrams(Meter meter)
    {
        meter.CreateObservableCounter(
            "selectreactor.network.io", () => StreamBytes().Concat(DatagramBytes()), "By", "Bytes of the network.");
        meter.CreateObservableCounter(
            "selectreactor.datagrams",
            () => OfDatagrams(
                TagNames.Direction,
                (TagNames.Receive, static counts => counts.Received),
                (TagNames.Transmit, static counts => counts.Sent)),
            "{datagram}",
            "Datagrams that were received and given to a handler, or sent.");
        meter.CreateObservableCounter(
            "selectreactor.datagram_errors",
            () => OfDatagrams(
                TagNames.ErrorType,
                (ErrorTypes.TooLong, static counts => counts.TooLong),
                (ErrorTypes.SendError, static counts => counts.SendErrors),
                (ErrorTypes.NetworkError, static counts => counts.NetworkErrors)),
            "{error}",
            "Datagrams that were dropped or not sent, and errors that the network reported.");
    }

    private void ObserveLoops(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "selectreactor.reactors", () => registry.Gauges().Length, "{reactor}", "Reactors that are not disposed.");
        meter.CreateObservableGauge(
            "selectreactor.loop.lag",
            () => registry.Gauges().Select(static loop => loop.Lag.TotalSeconds).DefaultIfEmpty().Max(),
            "s",
            "How long the slowest loop has not waited for events: the time of its tick under way.");
        meter.CreateObservableUpDownCounter(
            "selectreactor.mailbox.depth",
            () => registry.Gauges().Sum(static loop => (long)loop.MailboxDepth),
            "{callback}",
            "Posted callbacks that have not run.");
        meter.CreateObservableUpDownCounter(
            "selectreactor.timers",
            () => registry.Gauges().Sum(static loop => (long)loop.TimerCount),
            "{timer}",
            "Timers that wait, with those of the library.");
        meter.CreateObservableUpDownCounter(
            "selectreactor.pooled_memory", Memory, "By", "The memory of the buffers.");
    }

    private Measurement<long>[] Sum(Func<ConnectionCounts, long> number) =>
        registry.ReadConnections(all => all
            .GroupBy(static counts => counts.Tags)
            .Select(group => new Measurement<long>(group.Sum(number), group.Key.Tags))
            .ToArray());

    private Measurement<T>[] SumOf<T>(IReadOnlyList<string> values, string tag, Func<ConnectionCounts, int, T> number)
        where T : struct, System.Numerics.INumber<T> =>
        registry.ReadConnections(all => all
            .GroupBy(static counts => counts.Tags)
            .SelectMany(group => values.Select((value, i) => new Measurement<T>(
                group.Aggregate(T.Zero, (sum, counts) => sum + number(counts, i)), group.Key.With(tag, value))))
            .Where(static measurement => measurement.Value != T.Zero)
            .ToArray());

    // Those that are zero again, too: others would take the last value for the present one.
    private Measurement<long>[] PausedListeners() =>
        registry.ReadConnections(static all => all
            .Where(static counts => counts.Tags.Role == ConnectionRole.Server)
            .GroupBy(static counts => counts.Tags)
            .SelectMany(static group => AcceptPauseReasons.All.Select((reason, i) => new Measurement<long>(
                group.Sum(counts => counts.PausedListeners(i)), group.Key.With(TagNames.PauseReason, reason))))
            .ToArray());

    private Measurement<long>[] StreamBytes() =>
        registry.ReadConnections(static all => all
            .GroupBy(static counts => counts.Tags)
            .SelectMany(static group => new[]
            {
                new Measurement<long>(
                    group.Sum(static counts => counts.BytesReceived),
                    group.Key.With(TagNames.Direction, TagNames.Receive)),
                new Measurement<long>(
                    group.Sum(static counts => counts.BytesSent),
                    group.Key.With(TagNames.Direction, TagNames.Transmit)),
            })
            .ToArray());

    private Measurement<long>[] DatagramBytes() => OfDatagrams(
        TagNames.Direction,
        (TagNames.Receive, static counts => counts.BytesReceived),
        (TagNames.Transmit, static counts => counts.BytesSent));

    private Measurement<long>[] OfDatagrams(
        string tag, params (string Value, Func<DatagramCounts, long> Number)[] parts) =>
        registry.ReadDatagrams(all => all
            .GroupBy(static counts => counts.Transport)
            .SelectMany(group => parts.Select(part => new Measurement<long>(
                group.Sum(part.Number), new(TagNames.Transport, group.Key), new(tag, part.Value))))
            .ToArray());

    private Measurement<long>[] Memory()
    {
        ILoopGauges[] loops = registry.Gauges();
        return
        [
            new(
                loops.Sum(static loop => loop.BytesInUse),
                new KeyValuePair<string, object?>(TagNames.MemoryState, "used")),
            new(
                loops.Sum(static loop => loop.BytesIdle),
                new KeyValuePair<string, object?>(TagNames.MemoryState, "idle")),
        ];
    }
}
