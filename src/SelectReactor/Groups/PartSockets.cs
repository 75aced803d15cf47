using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor.Groups;

/// <summary>
/// The sockets that one <see cref="ListenerPart"/> accepts from: none, one, or several if it has taken over those of
/// reactors that have ended. When its own reactor ends alone, and no other has a handle on the same socket, a socket
/// goes to another part: to close it would reset the clients in its queue.
/// </summary>
internal sealed class PartSockets(GroupAccept shared, GroupMember member, ListenerPart part) : IStoppable
{
    private volatile Acceptor[] _acceptors = [];

    /// <summary>Whether clients are accepted at the moment. Any thread.</summary>
    public bool AreAccepting => Array.Exists(_acceptors, static acceptor => !acceptor.IsPaused);

    private Reactor Reactor => member.Reactor;

    /// <summary>Opens a handle and accepts clients from then on. The reactor's thread.</summary>
    /// <param name="open">Opens the handle, which listens.</param>
    /// <param name="prepare">Called with the handle before it is used.</param>
    public void Open(Func<Reactor, Handle> open, Action<Handle> prepare)
    {
        Reactor.AddStarter(this);
        Handle? handle = null;
        try
        {
            handle = open(Reactor);
            prepare(handle);
            Accept(handle);
        }
        catch
        {
            handle?.Close();
            EndWhenEmpty();
            throw;
        }

        shared.NoteOpened();
    }

    /// <summary>Accepts clients from the socket of a reactor that ends, in a later phase of the loop. Any
    /// thread.</summary>
    /// <returns>False if this reactor has ended, too.</returns>
    public bool TryTakeOver(Handle listening) => Reactor.TryPost(
        static state =>
        {
            (PartSockets self, Handle listening) = ((PartSockets, Handle))state!;
            self.TakeOver(listening);
        },
        (this, listening));

    /// <summary>Closes all. Any thread; idempotent.</summary>
    public void Dispose() => Reactor.Execute(static self => ((PartSockets)self!).Close(), this);

    /// <summary>Runs an action with each acceptor on the reactor's thread. Any thread.</summary>
    public void Post(Action<Acceptor> action) => Reactor.TryPost(
        static state =>
        {
            (PartSockets self, Action<Acceptor> action) = ((PartSockets, Action<Acceptor>))state!;
            Array.ForEach(self._acceptors, action);
        },
        (this, action));

    public override string ToString() =>
        $"Listener of a group on {part.Admission}{(_acceptors.Length > 1 ? $", {_acceptors.Length} sockets" : "")}"
        + string.Concat(_acceptors.Select(static acceptor => acceptor.Obstacle).OfType<string>().Distinct()
            .Select(static obstacle => $", {obstacle}"));

    void IStoppable.BeginStop(StopPhase phase)
    {
        if (shared.OutlivesReactors)
        {
            HandOver();
        }
        else
        {
            Close();
        }
    }

    private void Accept(Handle listening)
    {
        Acceptor acceptor = null!;
        acceptor = new Acceptor(Reactor, listening, shared.Options, part, () => Lose(acceptor));
        _acceptors = [.. _acceptors, acceptor];
        if (shared.IsPaused)
        {
            acceptor.Pause();
        }
    }

    private void TakeOver(Handle listening)
    {
        if (!shared.OutlivesReactors || !member.IsRunning)
        {
            shared.Move(listening);
            return;
        }

        try
        {
            Reactor.AddStarter(this);
            Accept(listening);
        }
        catch (Exception) when (!member.IsRunning)
        {
            shared.Move(listening);
        }
        catch (Exception exception)
        {
            ReactorLog.ListenerMoveFault(Reactor.Logger, listening.LocalEndPoint, exception);
            EndWhenEmpty();
            listening.Close();
            shared.NoteClosed();
        }
    }

    private void HandOver()
    {
        foreach (Acceptor acceptor in TakeAll())
        {
            if (shared.Queue == ClientQueue.Shared)
            {
                acceptor.Close();
                shared.NoteClosed();

                // The system may have woken this reactor for a client, and tells the others no more.
                shared.LookAgain(except: part);
            }
            else
            {
                shared.Move(acceptor.Release());
            }
        }
    }

    private void Lose(Acceptor acceptor)
    {
        _acceptors = [.. _acceptors.Where(other => other != acceptor)];
        EndWhenEmpty();
        acceptor.Close();
        shared.NoteClosed();
    }

    private void Close()
    {
        // This can throw, so it comes before anything has changed.
        Reactor.VerifyAccess();
        foreach (Acceptor acceptor in TakeAll())
        {
            acceptor.Close();
            shared.NoteClosed();
        }
    }

    private Acceptor[] TakeAll()
    {
        Acceptor[] acceptors = _acceptors;
        _acceptors = [];
        EndWhenEmpty();
        return acceptors;
    }

    private void EndWhenEmpty()
    {
        if (_acceptors.Length == 0)
        {
            Reactor.RemoveStarter(this);
        }
    }
}
