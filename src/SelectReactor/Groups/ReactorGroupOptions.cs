using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>
/// The options of a <see cref="ReactorGroup"/>. Its constructor copies them, so that a later change does not reach the
/// group. A setter throws an <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class ReactorGroupOptions
{
    /// <summary>The options of each reactor. The logger, the clock, the handle factory and the name resolver are used
    /// by all threads of the group at once. Leave <see cref="ReactorOptions.MaxConnections"/> alone: the limit is
    /// <see cref="MaxConnections"/>. Not null.</summary>
    public ReactorOptions Reactor
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = new();

    /// <summary>How the reactors share clients. Default: <see cref="ClientSharing.Automatic"/>.</summary>
    public ClientSharing Sharing
    {
        get;
        set => field = OptionValue.Defined(this, value);
    }

    /// <summary>The maximum number of open connections of all reactors together, accepted, outgoing and adopted. It is
    /// never exceeded. Default: no limit (<see cref="int.MaxValue"/>).</summary>
    public int MaxConnections
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = int.MaxValue;

    /// <summary>How long <see cref="ReactorGroup.Dispose"/> waits for the threads to end. Only a callback that blocks
    /// delays them. Then it returns, and the threads, which are background threads, end when they can. Above zero and
    /// at most one day, or <see cref="Timeout.InfiniteTimeSpan"/>, the default.</summary>
    public TimeSpan DisposeTimeout
    {
        get;
        set => field = value == Timeout.InfiniteTimeSpan || (value > TimeSpan.Zero && value <= TimeSpan.FromDays(1))
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(DisposeTimeout),
                $"{nameof(ReactorGroupOptions)}.{nameof(DisposeTimeout)} must be above zero and at most one day, or "
                + $"Timeout.InfiniteTimeSpan for no limit, not {value}.");
    } = Timeout.InfiniteTimeSpan;

    /// <summary>Called first on the thread of each reactor, with the reactor's index, for example to bind the thread
    /// to a processor (<c>PinToProcessors</c> of SelectReactor.Epoll). What it throws, the constructor of the group
    /// throws. Not called without <see cref="StartThreads"/>. Default (null): nothing.</summary>
    public Action<int>? ThreadStart { get; set; }

    /// <summary>Whether each reactor has a thread of its own, which the constructor of the group starts. If not, the
    /// caller runs each of <see cref="ReactorGroup.Reactors"/>, with <see cref="SelectReactor.Reactor.Run()"/> or
    /// <see cref="SelectReactor.Reactor.RunOnce"/>, on one thread or on several; until then the thread that made the
    /// group is the thread of all. A simulated network runs them like this. Default: true.</summary>
    public bool StartThreads { get; set; } = true;

    /// <summary>A copy, with copies of the options in it: a change of one does not reach the other.</summary>
    public ReactorGroupOptions Clone()
    {
        var clone = (ReactorGroupOptions)MemberwiseClone();
        clone.Reactor = Reactor.Copy();
        return clone;
    }

    internal void Verify()
    {
        if (Reactor.MaxConnections != int.MaxValue)
        {
            throw new ArgumentException(
                $"{nameof(ReactorGroupOptions)}.{nameof(Reactor)}.{nameof(ReactorOptions.MaxConnections)} must not be "
                + $"set: a group has one limit, {nameof(ReactorGroupOptions)}.{nameof(MaxConnections)}.");
        }
    }
}
