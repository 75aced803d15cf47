using SelectReactor.Testing.Time;

namespace SelectReactor.Testing;

/// <summary>
/// The one clock of a <see cref="SimulatedNetwork"/>. It moves only when the network runs. Its monotonic time
/// (<see cref="GetTimestamp"/>, timers) and its wall time (<see cref="GetUtcNow"/>) can be moved apart, as a time
/// server moves a real clock. Use it on the network's thread; timers may be made, changed and disposed on any thread.
/// </summary>
public sealed class SimulatedClock : TimeProvider
{
    /// <summary>Not zero, to find programs that use zero for "never".</summary>
    private const long FirstTimestamp = TimeSpan.TicksPerHour;

    private static readonly TimeSpan _maxLeap = TimeSpan.FromDays(365_000);
    private static readonly DateTimeOffset _firstDay = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly SimulatedNetwork _network;
    private readonly List<SimulatedTimer> _timers = [];
    private TimeSpan _wallOffset;
    private long _leap;
    private long? _standsAt;

    internal SimulatedClock(SimulatedNetwork network) => _network = network;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Always UTC, so that a run does not depend on where it runs.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>The time since the network was made, by this clock.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(GetTimestamp() - FirstTimestamp);

    internal bool Stands => _standsAt is not null;

    /// <inheritdoc/>
    public override long GetTimestamp() => _standsAt ?? FirstTimestamp + _network.Now + _leap;

    /// <summary>The wall clock: 2000-01-01 00:00 UTC at first.</summary>
    public override DateTimeOffset GetUtcNow() => _firstDay + Elapsed + _wallOffset;

    /// <summary>Moves the wall clock, forward or back, as setting the date does. Monotonic time and timers do not
    /// change.</summary>
    public void StepWallClock(TimeSpan step)
    {
        _wallOffset += step;
        _network.Note($"the wall clock steps by {step}");
    }

    /// <summary>Moves monotonic and wall time forward, as after a suspend. Timers that were due meanwhile fire late.
    /// Packets on the network do not move.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="span"/> is negative, since monotonic time never
    /// goes back, or more than a thousand years.</exception>
    public void Leap(TimeSpan span)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(span, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(span, _maxLeap);
        _leap += span.Ticks;
        if (_standsAt is { } moment)
        {
            _standsAt = moment + span.Ticks;
        }

        _network.Note($"the clock leaps by {span}");
        ArmTimers();
    }

    /// <summary>Stops the clock while the network runs, until <see cref="Resume"/>. Idempotent.</summary>
    public void Freeze()
    {
        _standsAt ??= GetTimestamp();
        _network.Note("the clock stands");
        ArmTimers();
    }

    /// <summary>Lets a stopped clock run on from its time. Idempotent.</summary>
    public void Resume()
    {
        if (_standsAt is { } moment)
        {
            _leap = moment - FirstTimestamp - _network.Now;
            _standsAt = null;
            _network.Note("the clock goes on");
            ArmTimers();
        }
    }

    /// <summary>Makes a timer. The network calls its callback on its own thread while it runs.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A time is negative and not infinite.</exception>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new SimulatedTimer(_network, this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    internal void Add(SimulatedTimer timer)
    {
        lock (_timers)
        {
            _timers.Add(timer);
        }
    }

    internal void Remove(SimulatedTimer timer)
    {
        lock (_timers)
        {
            _timers.Remove(timer);
        }
    }

    private void ArmTimers()
    {
        SimulatedTimer[] timers;
        lock (_timers)
        {
            timers = [.. _timers];
        }

        Array.ForEach(timers, static timer => timer.Arm());
    }
}
