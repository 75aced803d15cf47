using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>
/// The options of a <see cref="ConnectionPool"/>, which copies them. A setter throws an
/// <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class ConnectionPoolOptions
{
    /// <summary>The maximum number of connections, rented, idle and being made. At least 1. Default: 16.</summary>
    public int MaxConnections
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 16;

    /// <summary>The maximum number of connections that are being made at the same time. At least 1. Default:
    /// 4.</summary>
    public int MaxConnecting
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 4;

    /// <summary>The maximum number of callers that wait for a connection; the next one fails at once. Zero or more.
    /// Default: 10,000.</summary>
    public int MaxWaiting
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 0);
    } = 10_000;

    /// <summary>How long a caller waits for a connection. Above zero. Default: 30 seconds.</summary>
    public TimeSpan RentTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(30);

    /// <summary>A connection that nobody has rented for this long is closed. Keep it below the idle time-out of the
    /// server. Above zero. Default: 1 minute.</summary>
    public TimeSpan IdleTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromMinutes(1);

    /// <summary>So many idle connections are kept, however long nobody has rented them. The pool does not open
    /// connections to have that many. Zero or more. Default: 0.</summary>
    public int MinIdle
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 0);
    }

    /// <summary>Prepares a new connection before it is rented for the first time, for example by a login. Called on
    /// the reactor's thread, to which the code after its awaits comes back. If its task fails, the connection is cut,
    /// and a caller that waits gets the exception. <see cref="PrepareTimeout"/> bounds it. The token is cancelled
    /// after that time, when the connection ends, and when the pool is disposed of. Default (null): nothing to
    /// prepare.</summary>
    public Func<Connection, CancellationToken, Task>? Prepare { get; set; }

    /// <summary>How long <see cref="Prepare"/> may take. Then the connection is cut, and a caller that waits gets a
    /// <see cref="TimeoutException"/>. Above zero. Default: 15 seconds.</summary>
    public TimeSpan PrepareTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(15);

    /// <summary>How to connect: time-outs and the options of the connections. Not null.</summary>
    public ConnectOptions Connect
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = new();

    /// <summary>A copy, with copies of the options in it: a change of one does not reach the other.</summary>
    public ConnectionPoolOptions Clone()
    {
        var clone = (ConnectionPoolOptions)MemberwiseClone();
        clone.Connect = Connect.Clone();
        return clone;
    }

    /// <summary>The options as a pool uses them.</summary>
    internal ConnectionPoolOptions Copy()
    {
        var copy = (ConnectionPoolOptions)MemberwiseClone();
        copy.Connect = Connect.Copy();
        return copy;
    }
}
