using SelectReactor.Diagnostics;
using SelectReactor.Selection;

namespace SelectReactor.Connections;

/// <content>What a dump shows. It is read on the loop's thread, and on another one if the loop hangs: so it changes
/// nothing.</content>
internal sealed partial class StreamConnection
{
    public override string ToString() =>
        $"Connection {Id}: {EndPointText.Of(LocalEndPoint)} to {EndPointText.Of(RemoteEndPoint)}, {State}";

    public ConnectionFacts GetFacts() => new()
    {
        State = State.ToString(),
        QueuedBytes = _output.Queued,
        LastActivity = Math.Max(_deadlines.ReceivedAt, _deadlines.SentAt),
        IsReadPaused = _pause != PauseReason.None,
    };

    public string Describe()
    {
        long now = _reactor.Clock.Now;
        List<string> facts =
        [
            $"{this}",
            _handler?.GetType().Name ?? "no handler",
            $"in {DumpText.Bytes(_bytesReceived)} ({_input.Unconsumed} B unread)",
            $"out {DumpText.Bytes(_bytesSent)} ({_output.Queued} B queued)",
        ];
        if (_pause != PauseReason.None)
        {
            facts.Add($"not reading for {AgeOf(_pausedAt, now)} ({_pause})");
        }

        if (_awaitsRoom)
        {
            facts.Add("waits for room to send");
        }

        if (_phase >= ConnectionPhase.Open)
        {
            facts.Add($"open for {AgeOf(_openedAt, now)}");
            if (_pause == PauseReason.None && _bytesReceived > 0)
            {
                // Otherwise the stamp moves on with the clock, since nothing can be received.
                facts.Add($"received {AgeOf(_deadlines.ReceivedAt, now)} ago");
            }

            if (_bytesSent > 0)
            {
                facts.Add($"sent {AgeOf(_deadlines.SentAt, now)} ago");
            }
        }

        if (_phase is ConnectionPhase.Open or ConnectionPhase.Closing)
        {
            AddDeadline(facts, now);
        }

        if (Reason.Kind != CloseKind.None)
        {
            facts.Add($"ends with {Reason.Kind}{(Reason.Error is { } error ? $": {error.Message}" : "")}");
        }

        return string.Join(", ", facts);
    }

    private void AddDeadline(List<string> facts, long now)
    {
        Deadline first = _deadlines.Examine(Peer, _options, _reactor.Clock);
        if (first.At != long.MaxValue)
        {
            TimeSpan left = _reactor.Clock.Until(first.At, now);
            facts.Add($"cut in {DumpText.Age(left)} if by then {first.What} within {DumpText.Age(first.Limit)}");
        }
    }

    private string AgeOf(long since, long now) => DumpText.Age(_reactor.Clock.Until(now, since));
}
