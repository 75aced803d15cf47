using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>The options of a <see cref="Reactor"/>. The reactor reads them once, in its constructor.</summary>
public sealed class ReactorOptions
{
    /// <summary>The clock of the reactor; it uses no other. Default: <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = TimeProvider.System;

    /// <summary>Creates the selector, which the reactor owns and disposes. Default: a
    /// <see cref="SelectSelector"/>.</summary>
    public Func<ISelector> SelectorFactory
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = static () => new SelectSelector();

    /// <summary>Creates the sockets. Default: sockets of the operating system.</summary>
    public IHandleFactory HandleFactory
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = SocketHandleFactory.Instance;

    /// <summary>Resolves host names for outgoing connections. Default: the operating system's resolver.</summary>
    public INameResolver NameResolver
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = SystemNameResolver.Instance;

    /// <summary>Receives the messages of the library. Default: messages are discarded.</summary>
    public ILogger Logger
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = NullLogger.Instance;

    /// <summary>The maximum number of posted callbacks that one tick runs before it looks at the sockets again.
    /// Default: 1,024.</summary>
    public int MaxPostsPerTick
    {
        get;
        init => field = OptionValue.AtLeastOne(value);
    } = 1024;

    /// <summary>The maximum number of open connections, accepted and outgoing. At the limit listeners pause or refuse,
    /// as their options say, and attempts to connect fail. Default: no limit except those of the selector and the
    /// system (<see cref="int.MaxValue"/>).</summary>
    public int MaxConnections
    {
        get;
        init => field = OptionValue.AtLeastOne(value);
    } = int.MaxValue;

    /// <summary>
    /// Whether an exception from a posted callback, a timer or an <see cref="IEventHandler"/> leaves
    /// <see cref="Reactor.Run"/> or <see cref="Reactor.RunOnce"/> at the end of the tick instead of being logged; of
    /// several in one tick, the first does. For tests. An exception of an <c>IConnectionHandler</c> always
    /// closes its connection instead, and a failure of the library itself is always logged. Default: false.
    /// </summary>
    public bool PropagateExceptions { get; init; }
}
