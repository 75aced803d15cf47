using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Dispatch;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>How a <see cref="Reactor"/> is built. Read once, when the reactor is made.</summary>
public sealed class ReactorOptions
{
    /// <summary>The only clock of the reactor. Default: <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = TimeProvider.System;

    /// <summary>Makes the selector that the reactor then owns. Default: a <see cref="SelectSelector"/>.</summary>
    public Func<ISelector> SelectorFactory
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = static () => new SelectSelector();

    /// <summary>Makes the sockets. Default: those of the operating system.</summary>
    public IHandleFactory HandleFactory
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = SocketHandleFactory.Instance;

    /// <summary>Resolves the host names that connections are made to. Default: the operating system's resolver.</summary>
    public INameResolver NameResolver
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = SystemNameResolver.Instance;

    /// <summary>Where the library's messages go. Default: nowhere.</summary>
    public ILogger Logger
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = NullLogger.Instance;

    /// <summary>The most posted callbacks that one tick runs before it looks at the sockets again. Default: 1,024.</summary>
    public int MaxPostsPerTick
    {
        get;
        init => field = OptionValue.AtLeastOne(value);
    } = 1024;

    /// <summary>The most connections, accepted and outgoing, that may be open at once. At the limit listeners
    /// pause or refuse, as their options say, and attempts to connect fail. Default: no limit but the selector's and
    /// the system's (<see cref="int.MaxValue"/>).</summary>
    public int MaxConnections
    {
        get;
        init => field = OptionValue.AtLeastOne(value);
    } = int.MaxValue;

    /// <summary>
    /// Whether an exception from a posted callback, a timer or an <see cref="IEventHandler"/> leaves <see cref="Reactor.Run"/>
    /// or <see cref="Reactor.RunOnce"/> instead of being logged. For tests. What an <c>IConnectionHandler</c> throws always
    /// closes its connection instead. Default: false.
    /// </summary>
    public bool PropagateExceptions { get; init; }
}
