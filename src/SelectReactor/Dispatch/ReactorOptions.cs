using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// The options of a <see cref="Reactor"/>. Its constructor copies them, so that a later change does not reach the
/// reactor. A setter throws an <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class ReactorOptions
{
    /// <summary>The clock of the reactor; it uses no other. Default: <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = TimeProvider.System;

    /// <summary>Creates the selector, which the reactor owns and disposes. Default: a
    /// <see cref="SelectSelector"/>.</summary>
    public Func<ISelector> SelectorFactory
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = static () => new SelectSelector();

    /// <summary>Creates the sockets. Default: sockets of the operating system.</summary>
    public IHandleFactory HandleFactory
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = SocketHandleFactory.Instance;

    /// <summary>Resolves host names for outgoing connections. Default: the operating system's resolver.</summary>
    public INameResolver NameResolver
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = SystemNameResolver.Instance;

    /// <summary>Receives the messages of the library. Default: warnings and errors go to the standard error stream,
    /// one line each. <see cref="NullLogger.Instance"/> discards them.</summary>
    public ILogger Logger
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = StandardErrorLogger.Instance;

    /// <summary>The maximum number of posted callbacks that one tick runs before it looks at the sockets again.
    /// Default: 1,024.</summary>
    public int MaxPostsPerTick
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 1024;

    /// <summary>The maximum number of open connections, accepted and outgoing. At the limit listeners pause or refuse,
    /// as their options say, and attempts to connect fail. Default: no limit except those of the selector and the
    /// system (<see cref="int.MaxValue"/>).</summary>
    public int MaxConnections
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = int.MaxValue;

    /// <summary>The maximum number of connections that linger: after <see cref="Connection.Close()"/> the system has
    /// taken all of their output, and they wait for the peer (<see cref="ConnectionOptions.LingerTimeout"/>). One more
    /// ends the wait of the oldest, as at the end of its time. They count as open connections, too. If the process has
    /// no descriptor left for a connection, the oldest end as well. Default: 1,024.</summary>
    public int MaxLingeringConnections
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 1024;

    /// <summary>
    /// For how long one callback may keep the loop from going on before a warning is logged. A callback that waits,
    /// for a task, a lock or another thread, is logged with its stack; one that computes or sleeps, with its name. The
    /// callback goes on in any case. At most one warning of each kind is logged in ten seconds. With a
    /// <see cref="TimeProvider"/> of your own it is off. Default: 100 milliseconds;
    /// <see cref="Timeout.InfiniteTimeSpan"/> switches it off.
    /// </summary>
    public TimeSpan SlowCallbackThreshold
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Whether an exception from a posted callback, a timer or an <see cref="IEventHandler"/> leaves
    /// <see cref="Reactor.Run()"/> or <see cref="Reactor.RunOnce"/> at the end of the tick instead of being logged; of
    /// several in one tick, the first does. For tests. An exception of an <c>IConnectionHandler</c> always
    /// closes its connection instead, and a failure of the library itself is always logged. Default: false.
    /// </summary>
    public bool PropagateExceptions { get; set; }

    /// <summary>Makes the meter that the reactor reports to, for a program with dependency injection or a test that
    /// wants numbers of its own. Reactors with the same factory share the meter. Default: null, which is a meter
    /// "SelectReactor" for the whole process.</summary>
    public IMeterFactory? MeterFactory { get; set; }

    /// <summary>The limit of the group that the reactor belongs to. Null if there is none.</summary>
    internal SharedLimit? SharedLimit { get; set; }

    /// <summary>Called once when the reactor has ended and everything is closed, on the thread that closed it. It must
    /// not throw. Null if nobody wants to know.</summary>
    internal Action<Reactor>? Ended { get; set; }

    internal Places? CreatePlaces() => SharedLimit is null ? null : new Places(SharedLimit);

    internal ReactorOptions Copy() => (ReactorOptions)MemberwiseClone();
}
