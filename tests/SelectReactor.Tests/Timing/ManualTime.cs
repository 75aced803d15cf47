namespace SelectReactor.Tests.Timing;

/// <summary>A clock of any frequency that stands still, with a wall clock that steps by itself.</summary>
internal sealed class ManualTime(long frequency) : TimeProvider
{
    public long Timestamp { get; set; }

    public DateTimeOffset Wall { get; set; } = DateTimeOffset.UnixEpoch;

    public override long TimestampFrequency => frequency;

    public override long GetTimestamp() => Timestamp;

    public override DateTimeOffset GetUtcNow() => Wall;
}
