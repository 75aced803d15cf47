namespace SelectReactor;

/// <summary>How the reactors of a <see cref="ReactorGroup"/> share the clients of a listener. In every case a client
/// that was accepted goes to another reactor if its own takes none (see <see cref="ReactorGroup.DrainAsync"/>), and a
/// connection never changes its reactor.</summary>
public enum ClientSharing
{
    /// <summary><see cref="SharedSocket"/> where the handles of the reactors can do it, which those of epoll can; else
    /// <see cref="LeastConnections"/>.</summary>
    Automatic,

    /// <summary>One reactor accepts and gives each client to the reactor that has the fewest connections. Works on
    /// every system and with every selector.</summary>
    LeastConnections,

    /// <summary>One reactor accepts and gives the clients to the reactors in turn. Works on every system and with
    /// every selector.</summary>
    RoundRobin,

    /// <summary>All reactors accept from one listening socket, and the system wakes one that waits (EPOLLEXCLUSIVE,
    /// epoll_ctl(2)). A reactor that is ahead of the others gives clients to the one that has the fewest connections.
    /// Needs reactors on epoll (<c>UseEpoll</c>).</summary>
    SharedSocket,

    /// <summary>Each reactor has a listening socket of its own on the same port, and the system chooses one by a hash
    /// of the client's address (SO_REUSEPORT, socket(7)). A reactor that is ahead of the others gives clients to the
    /// one that has the fewest connections. If the loop of a reactor is busy, the clients in its queue wait for it.
    /// For TCP on Linux; a Unix-domain socket and a socket that was bound before are shared as
    /// <see cref="LeastConnections"/>.</summary>
    ReusePort,
}
