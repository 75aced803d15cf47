namespace SelectReactor.Tests.Selection;

/// <summary>Each reading is one unit after the last, so that a slice of the cold sockets costs one unit.</summary>
internal sealed class CountingClock : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => ++_now;

    public void Advance(long units) => _now += units;
}
