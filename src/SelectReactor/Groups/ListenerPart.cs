using System.Net;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor.Groups;

/// <summary>
/// One reactor's part in a <see cref="GroupListener"/>: it opens connections on this reactor, for clients that it
/// accepts itself or that other parts give it. An accepted client has a place in the limits of the listener and of the
/// group, which goes with it from part to part.
/// </summary>
internal sealed class ListenerPart : IAdmission
{
    /// <summary>So many connections more than another reactor are no reason to give it one.</summary>
    private const int MinLead = 4;

    private readonly GroupAccept _shared;
    private readonly Places _places;
    private readonly Action<object?> _receive;
    private Admission? _admission;

    public ListenerPart(GroupAccept shared, GroupMember member)
    {
        _shared = shared;
        _places = new Places(shared.Limit);
        _receive = Receive;
        Member = member;
        Sockets = new PartSockets(shared, member, this);
    }

    public GroupMember Member { get; }

    public PartSockets Sockets { get; }

    /// <summary>Null until the address is known. Its counts are for any thread.</summary>
    public Admission? Admission => _admission;

    public bool IsFull => _places.IsFullAt(_admission!.ConnectionCount) || Reactor.IsFull;

    public ReachedLimit? ReachedLimit => _places.IsFullAt(_admission!.ConnectionCount)
        ? new ReachedLimit("ListenerOptions.MaxConnections", _places.Capacity)
        : Reactor.ReachedLimit;

    public LimitNotice LimitNotice => _shared.LimitNotice;

    private Reactor Reactor => Member.Reactor;

    // With the last reactor the socket ends, and those who wait at it are reset: none is accepted to be refused.
    private bool MayAccept => Member.IsRunning || _shared.ChooseAcceptor() is not null;

    /// <summary>Prepares for clients of a listener on this address. Before any are accepted.</summary>
    public void Prepare(EndPoint listening) => _admission = new Admission(
        Reactor, _shared.Options, _shared.HandlerFactory, listening, static () => true, GiveBackPlaces);

    /// <summary>Drains the connections of this part. Any thread.</summary>
    public void Drain(TimeSpan deadline) => Reactor.Execute(_ => _admission!.Drain(deadline), null);

    public bool TryReserve() => MayAccept && (_shared.Options.WhenFull == WhenFull.Refuse || HasPlace());

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

    public void CountAcceptError(string errorType) => _admission!.CountAcceptError(errorType);

    public void CountPaused(int reason, int change) => _admission!.CountPaused(reason, change);

    public bool TryFreeDescriptors()
    {
        // All reactors of the process have their descriptors from the same store.
        foreach (ListenerPart part in _shared.Parts)
        {
            if (part != this)
            {
                part.Reactor.TryPost(
                    static admission => ((Admission)admission!).TryFreeDescriptors(), part._admission);
            }
        }

        return _admission!.TryFreeDescriptors();
    }

    private bool HasPlace() => _places.TryReserve(_admission!.ConnectionCount) && Reactor.TryReservePlace();

    private bool KeepsNext()
    {
        if (_shared.Queue == ClientQueue.OneReactor || !Member.TakesClients)
        {
            return false;
        }

        int own = Member.Load;
        return own <= MinLead || own - (_shared.LeastLoad ?? own) <= MinLead + (own / 8);
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
        Reactor.GiveBackPlaces();
        _shared.CompleteDrain();
    }
}
