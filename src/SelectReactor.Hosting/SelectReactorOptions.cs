namespace SelectReactor;

/// <summary>The options of the reactors that <c>AddSelectReactor</c> adds to a host. Set them in code or bind them to
/// configuration.</summary>
public sealed class SelectReactorOptions
{
    /// <summary>The number of reactors, each with a thread of its own. At least one. Default: one.</summary>
    public int ReactorCount { get; set; } = 1;

    /// <summary>How the reactors share clients, the limit on all connections, and the options of each reactor. Unless
    /// it is set, the logger is that of the host's <c>ILoggerFactory</c>, with the category "SelectReactor".</summary>
    public ReactorGroupOptions Group { get; set; } = new();

    /// <summary>How long connections of servers may go on when the host stops; handlers are told by
    /// <see cref="IConnectionHandler.OnStopping"/>. Then those that are left are closed. Outgoing connections are told
    /// after them, once the services that were added later have stopped; they have what is left of it since then, but
    /// two seconds if it is not shorter. The host's own time-out (<c>HostOptions.ShutdownTimeout</c>) closes all, too,
    /// if it ends earlier. Zero or more, or <see cref="Timeout.InfiniteTimeSpan"/>, which leaves it to the host.
    /// Default: 5 seconds.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a loop may take to run a callback that the health checks post. Above zero, and at most one
    /// day. Default: one second.</summary>
    public TimeSpan MaxLoopLag { get; set; } = TimeSpan.FromSeconds(1);
}
