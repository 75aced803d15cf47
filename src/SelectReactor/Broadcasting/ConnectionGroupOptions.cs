using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>
/// The options of a <see cref="ConnectionGroup"/>, which copies them. A setter throws an
/// <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class ConnectionGroupOptions
{
    /// <summary>A member is slow if a message would make its queue (<see cref="Connection.QueuedOutputBytes"/>) longer
    /// than this many bytes. A member with an empty queue is never slow. The limit of the connection itself
    /// (<see cref="ConnectionOptions.MaxOutputBytes"/>) holds, too: what exceeds it is never queued. At least 1.
    /// Default: 1,048,576.</summary>
    public int MaxQueuedBytes
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 1024 * 1024;

    /// <summary>What happens to a slow member. A message that is longer than the
    /// <see cref="ConnectionOptions.MaxOutputBytes"/> of a member is always skipped, since that is not the member's
    /// fault. Default: <see cref="WhenSlow.Skip"/>.</summary>
    public WhenSlow WhenSlow
    {
        get;
        set => field = OptionValue.Defined(this, value);
    }

    /// <summary>Called for each member that was skipped or cut, at the end of the broadcast, on the reactor's thread.
    /// It may add, remove and close members. An exception of it leaves the broadcast, which has reached all other
    /// members by then. Default (null): nobody is told.</summary>
    public Action<Connection>? SlowMember { get; set; }

    internal ConnectionGroupOptions Copy() => (ConnectionGroupOptions)MemberwiseClone();
}
