using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>
/// The options of a <see cref="ReconnectingClient"/>, which copies them. A setter throws an
/// <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class ReconnectOptions
{
    /// <summary>The longest delay after a first failure, or after a loss. Each further failure in a row doubles it, up
    /// to <see cref="MaxDelay"/>. The delay itself is drawn from zero to that bound ("full jitter"), so that clients
    /// that lost the same server do not come back together. Above zero. Default: 500 milliseconds.</summary>
    public TimeSpan BaseDelay
    {
        get;
        set => field = OptionValue.AtLeast(this, value, TimeSpan.FromTicks(1));
    } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest delay at all. Above zero. Default: 30 seconds.</summary>
    public TimeSpan MaxDelay
    {
        get;
        set => field = OptionValue.AtLeast(this, value, TimeSpan.FromTicks(1));
    } = TimeSpan.FromSeconds(30);

    /// <summary>A connection that was open for this long is a success: after its loss delays begin anew, with the same
    /// end point. One that is lost earlier counts as a failure. Zero or more. Default: 10 seconds.</summary>
    public TimeSpan HealthyAfter
    {
        get;
        set => field = OptionValue.NotNegative(this, value);
    } = TimeSpan.FromSeconds(10);

    /// <summary>After so many failures in a row the client gives up. At least 1. Default: no limit
    /// (<see cref="int.MaxValue"/>).</summary>
    public int MaxFailures
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = int.MaxValue;

    /// <summary>The client gives up when the next attempt would begin later than this after its start, or after the
    /// loss of the last connection that was a success. Above zero. Default: no limit
    /// (<see cref="Timeout.InfiniteTimeSpan"/>).</summary>
    public TimeSpan MaxDowntime
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = Timeout.InfiniteTimeSpan;

    /// <summary>Whether to go on after an attempt that failed with this exception. Called on the reactor's thread; an
    /// exception of it counts as false. Default (null): always.</summary>
    public Func<Exception, bool>? RetryAfterFailure { get; set; }

    /// <summary>Whether to connect again after a connection that ended in this way. Called on the reactor's thread; an
    /// exception of it counts as false. Default (null): always, also when the handler has closed it: to end the
    /// client, call <see cref="ReconnectingClient.StopAsync"/>.</summary>
    public Func<CloseReason, bool>? RetryAfterLoss { get; set; }

    /// <summary>Draws the delays, on the reactor's thread; a seeded one makes a test repeatable. Clients of one
    /// reactor may share it. Default: <see cref="Random.Shared"/>.</summary>
    public Random Random
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = Random.Shared;

    /// <summary>How to connect: time-outs and the options of the connection. Not null.</summary>
    public ConnectOptions Connect
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = new();

    /// <summary>A copy, with copies of the options in it: a change of one does not reach the other.</summary>
    public ReconnectOptions Clone()
    {
        var clone = (ReconnectOptions)MemberwiseClone();
        clone.Connect = Connect.Clone();
        return clone;
    }

    /// <summary>The options as a client uses them.</summary>
    internal ReconnectOptions Copy()
    {
        var copy = (ReconnectOptions)MemberwiseClone();
        copy.Connect = Connect.Copy();
        return copy;
    }
}
