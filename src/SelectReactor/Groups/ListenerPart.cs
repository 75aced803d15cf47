using System.Net;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor.Groups;

/// <summary>
/// One reactor's part in a <see cref="GroupListener"/>: it opens connections on this reactor, for clients that it
/// accepts itself or that other parts give it. A part may have no socket of its own. An accepted client has a place in
/// the limits of the listener and of the group, which goes with it from part to part.
/// </summary>
internal sealed class ListenerPart : IAdmission, IStoppable
{
    /// <summary>So many connections more than another reactor are no reason to give it one.</summary>
    private const int MinLead = 4;

    private readonly GroupAccept _shared;
    private readonly Places _places;
    private readonly Action<object?> _receive;
    private Admission? _admission;
    private Acceptor? _acceptor;
    private bool _isClosed;

    public ListenerPart(GroupAccept shared, GroupMember member)
    {
        _shared = shared;
        _places = new Places(shared.Limit);
        _receive = Receive;
        Member = member;
    }

    public GroupMember Member { get; }

    /// <summary>Null until the address is known. Its counts are for any thread.</summary>
    public Admission? Admission => _admission;

    /// <summary>Whether it accepts clients at the moment. Any thread.</summary>
    public bool IsAccepting => _acceptor is { IsPaused: false } && !_isClosed;

    public bool IsFull => _places.IsFullAt(_admission!.ConnectionCount) || Reactor.IsFull;

    private Reactor Reactor => Member.Reactor;

    /// <summary>Prepares for clients of a listener on this address. Before any are accepted.</summary>
    public void Prepare(EndPoint listening) => _admission = new Admission(
        Reactor, _shared.Options, _shared.HandlerFactory, listening, static () => true, GiveBackPlaces);

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
            _acceptor = new Acceptor(Reactor, handle, _shared.Options, this, Close);
        }
        catch
        {
            handle?.Close();
            Reactor.RemoveStarter(this);
            throw;
        }

        _shared.NoteOpened();
    }

    /// <summary>Closes the socket of this part. Any thread; idempotent.</summary>
    public void Dispose() => Reactor.Execute(static self => ((ListenerPart)self!).Close(), this);

    /// <summary>Runs an action with the acceptor, if this part has one, on the reactor's thread. Any thread.</summary>
    public void Post(Action<Acceptor> action) => Reactor.TryPost(
        static state =>
        {
            (ListenerPart self, Action<Acceptor> action) = ((ListenerPart, Action<Acceptor>))state!;
            if (self._acceptor is not null)
            {
                action(self._acceptor);
            }
        },
        (this, action));

    public bool TryReserve() => HasPlace() || _shared.Options.WhenFull == WhenFull.Refuse;

    public void EndAccept() => GiveBackPlaces();

    /// <summary>Takes an accepted client. The reactor's thread.</summary>
    public void Admit(Handle handle)
    {
        if (!HasPlace())
        {
            Refuse(handle, Refusal.Limit);
        }
        else if (KeepsNext())
        {
            OpenConnection(handle);
        }
        else
        {
            Give(handle);
        }
    }

    public void Refuse(Handle handle, Refusal refusal) => _admission!.Refuse(handle, refusal);

    void IStoppable.BeginStop(StopPhase phase) => Close();

    // The second place stays reserved until the end of the tick.
    private bool HasPlace() => _places.TryReserve(_admission!.ConnectionCount) && Reactor.TryReservePlace();

    private bool KeepsNext()
    {
        if (_shared.Queue == ClientQueue.OneReactor || !Member.TakesClients)
        {
            return false;
        }

        int own = Member.Load;
        return own <= MinLead || own - (_shared.Members.LeastLoaded()?.Load ?? own) <= MinLead + (own / 8);
    }

    // To itself, too, where it is next.
    private void Give(Handle handle)
    {
        while (_shared.Choose() is { } part)
        {
            if (part == this)
            {
                OpenConnection(handle);
                return;
            }

            _places.Pass();
            Reactor.PassPlace();
            if (part.Member.TryGive(part._receive, handle))
            {
                return;
            }

            TakePlaces();
        }

        Refuse(handle, Refusal.NoReactor);
        GiveBackPlaces();
    }

    private void TakePlaces()
    {
        _places.Grant();
        Reactor.GrantPlace();
    }

    private void Receive(object? client)
    {
        Member.NoteArrival();
        TakePlaces();
        var handle = (Handle)client!;
        if (Member.TakesClients)
        {
            OpenConnection(handle);
        }
        else
        {
            Give(handle);
        }
    }

    private void OpenConnection(Handle handle)
    {
        _admission!.Admit(handle);
        GiveBackPlaces();
    }

    private void GiveBackPlaces()
    {
        _places.KeepOnly(_admission!.ConnectionCount);
        _shared.CompleteDrain();
    }

    public override string ToString() =>
        $"Listener of a group on {_admission}{(IsAccepting ? "" : ", not accepting")}";

    public void CountAcceptError(string errorType) => _admission!.CountAcceptError(errorType);

    private void Close()
    {
        if (_isClosed || _acceptor is null)
        {
            return;
        }

        // This can throw, so it comes before anything has changed.
        Reactor.VerifyAccess();
        _isClosed = true;
        _acceptor.Close();
        Reactor.RemoveStarter(this);
        _shared.NoteClosed();
        if (_shared.Queue == ClientQueue.Shared)
        {
            _shared.LookAgain(except: this);
        }
    }
}
