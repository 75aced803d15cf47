using System.Diagnostics;
using System.Net;
using SelectReactor.Endpoints;
using SelectReactor.Groups;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// A listener of a <see cref="ReactorGroup"/>: it accepts clients for all its reactors. All members may be used on any
/// thread. The end of the group closes it. If one reactor of the group ends alone, the others accept in its place,
/// also the clients that wait already.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class GroupListener : IDisposable
{
    private readonly GroupAccept _accept;
    private readonly EndPoint _localEndPoint;

    internal GroupListener(GroupAccept accept, EndPoint localEndPoint)
    {
        _accept = accept;
        _localEndPoint = localEndPoint;
    }

    /// <summary>The address that it listens on. If port 0 was asked for, it contains the port that the system chose.
    /// It is a copy.</summary>
    public EndPoint LocalEndPoint => MappedAddress.Copy(_localEndPoint);

    /// <summary>The number of connections that this listener accepted and that are not closed, with those that are on
    /// their way to their reactor.</summary>
    public int ConnectionCount => _accept.Limit.Taken;

    /// <summary>The number of connections that were given to a handler since the listener was created.</summary>
    public long Accepted => _accept.Accepted;

    /// <summary>The number of clients that were refused since the listener was created: because of a limit, the
    /// filter, a handler factory that threw, or a lack of resources.</summary>
    public long Refused => _accept.Refused;

    /// <summary>Whether clients are accepted at the moment: the listener is not closed, paused or full, the system is
    /// not short of descriptors, and there is a reactor that takes clients.</summary>
    public bool IsAccepting => _accept.IsAccepting;

    /// <summary>Whether <see cref="Pause"/> was called, and <see cref="Resume"/> not since.</summary>
    public bool IsPaused => _accept.IsPaused;

    /// <summary>Completes when no reactor listens any more and the last connection that this listener accepted is
    /// closed. It closes nothing by itself: call <see cref="StopAcceptingAsync"/> or <see cref="Dispose"/>
    /// first.</summary>
    public Task Drained => _accept.Drained;

    /// <summary>The address that it listens on, for messages.</summary>
    public override string ToString() => $"Listener of a group on {EndPointText.Of(_localEndPoint)}";

    /// <summary>Stops accepting until <see cref="Resume"/>, in a later phase of the loops. Clients wait in the backlog
    /// meanwhile. Idempotent.</summary>
    public void Pause() => _accept.SetPaused(isPaused: true);

    /// <summary>Accepts again after <see cref="Pause"/>. Idempotent.</summary>
    public void Resume() => _accept.SetPaused(isPaused: false);

    /// <summary>Closes all listening sockets, as <see cref="Dispose"/>. Accepted connections stay open.
    /// Idempotent.</summary>
    /// <returns>A task that completes when the sockets are closed. For the end of the accepted connections await
    /// <see cref="Drained"/>.</returns>
    public Task StopAcceptingAsync()
    {
        Dispose();
        return _accept.Closed;
    }

    /// <summary>Ends the listener in good order: the listening sockets close, accepted connections are told by
    /// <see cref="IConnectionHandler.OnStopping"/> and go on until they close by themselves, and those that are left
    /// at the deadline are closed with <see cref="CloseKind.ReactorStopped"/>. Clients in a handshake go on: they are
    /// told when they are open, and end at the deadline. Outgoing connections are not concerned.</summary>
    /// <param name="deadline">From now; zero closes the connections at once; <see cref="Timeout.InfiniteTimeSpan"/>
    /// waits until every one has closed by itself. A further call sets a new one.</param>
    /// <returns><see cref="Drained"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deadline"/> is negative and not
    /// infinite.</exception>
    public Task DrainAsync(TimeSpan deadline)
    {
        if (deadline != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(deadline, TimeSpan.Zero);
        }

        Dispose();
        foreach (ListenerPart part in _accept.Parts)
        {
            part.Drain(deadline);
        }

        return Drained;
    }

    /// <summary>Closes all listening sockets, in a later phase of the loops. Accepted connections stay open. Clients
    /// that wait in a backlog are reset. Idempotent.</summary>
    public void Dispose() => _accept.Close();
}
