using SelectReactor.Clients;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>Who has which connection, and who waits. All of it runs on the reactor's thread.</content>
public sealed partial class ConnectionPool
{
    /// <summary>The one that became idle last is at the end.</summary>
    private readonly List<PoolMember> _idle = [];
    private readonly RentQueue _waiting;
    private readonly HashSet<Connection> _closing = [];
    private ReactorTimer? _eviction;
    private Func<Exception>? _endError;
    private bool _isRegistered;

    private int Open => _counts.Idle + _counts.Rented + _counts.Connecting;

    private void Serve(LoopWait<ConnectionLease> rent)
    {
        if (!TryRegister(out Exception? error))
        {
            rent.SetException(error!);
        }
        else if (TakeIdle() is { } member)
        {
            Lend(member, rent);
        }
        else if (_waiting.Count >= _options.MaxWaiting)
        {
            rent.SetException(new InvalidOperationException(
                $"{_waiting.Count} callers wait for a connection already: ConnectionPoolOptions.MaxWaiting."));
        }
        else
        {
            _waiting.Add(rent);
            Grow();
        }
    }

    // The end of the reactor is told to those who have registered for it.
    private bool TryRegister(out Exception? error)
    {
        error = _endError?.Invoke();
        if (error is null && !_isRegistered)
        {
            try
            {
                Reactor.AddStarter(this);
                _isRegistered = true;
            }
            catch (Exception exception)
            {
                error = exception;
            }
        }

        return error is null;
    }

    private void Grow()
    {
        while (_endError is null
            && _waiting.Count > _counts.Connecting
            && Open < _options.MaxConnections
            && _counts.Connecting < _options.MaxConnecting)
        {
            _counts.Connecting++;
            var member = new PoolMember(this);
            Reactor.ConnectAsync(_endPoint, member, _options.Connect, _ending.Token)
                .ContinueOnLoop(Reactor, task => OnConnected(member, task));
        }
    }

    private void Return(PoolMember member, bool isGood)
    {
        _counts.Rented--;
        if (isGood && member.IsUsable)
        {
            Release(member);
        }
        else
        {
            Abandon(member);
        }
    }

    /// <summary>Gives a connection to the first caller that waits. Without one it becomes idle.</summary>
    private void Release(PoolMember member)
    {
        if (!member.IsUsable)
        {
            Abandon(member);
        }
        else if (_endError is not null)
        {
            member.At = PoolMember.Place.Gone;
            member.Connection.Close();
        }
        else if (_waiting.Take() is { } rent)
        {
            Lend(member, rent);
        }
        else
        {
            member.At = PoolMember.Place.Idle;
            member.IdleSince = Reactor.TimeProvider.GetTimestamp();
            _idle.Add(member);
            _counts.Idle = _idle.Count;
            KeepEvicting();
        }
    }

    private void Lend(PoolMember member, LoopWait<ConnectionLease> rent)
    {
        member.At = PoolMember.Place.Rented;
        _counts.Rented++;
        rent.SetResult(new ConnectionLease(this, member));
    }

    private PoolMember? TakeIdle()
    {
        while (_idle.Count > 0)
        {
            PoolMember member = _idle[^1];
            Remove(member);
            if (member.IsUsable)
            {
                return member;
            }

            Abandon(member);
        }

        return null;
    }

    private void Remove(PoolMember member)
    {
        _idle.Remove(member);
        _counts.Idle = _idle.Count;
    }

    /// <summary>Cuts an idle connection that is of no use any more.</summary>
    internal void Discard(PoolMember member)
    {
        Remove(member);
        Abandon(member);
    }

    /// <summary>Closes an idle connection that was still good.</summary>
    internal void LetGo(PoolMember member)
    {
        Remove(member);
        member.At = PoolMember.Place.Gone;
        member.Connection.Close();
    }

    private void Abandon(PoolMember member)
    {
        member.At = PoolMember.Place.Gone;
        _counts.Discarded++;
        member.Connection.Abort();
        Grow();
    }

    private void OnClosed(PoolMember member, CloseReason reason)
    {
        if (member.At == PoolMember.Place.Idle)
        {
            Discard(member);
        }
        else if (member.At == PoolMember.Place.Connecting)
        {
            Welcome(member, new IOException(
                $"The connection to {_endPoint} ended ({reason.Kind}) before it could be rented.", reason.Error));
        }

        if (_closing.Remove(member.Connection) && _closing.Count == 0)
        {
            _end.SetResult(true);
        }
    }

    private void KeepEvicting()
    {
        if (_options.IdleTimeout != Timeout.InfiniteTimeSpan
            && _idle.Count > _options.MinIdle
            && _eviction is not { IsActive: true })
        {
            TimeSpan left = _options.IdleTimeout - Reactor.TimeProvider.GetElapsedTime(_idle[0].IdleSince);
            _eviction = Reactor.Schedule(
                left > TimeSpan.Zero ? left : TimeSpan.Zero, static self => ((ConnectionPool)self!).Evict(), this);
        }
    }

    private void Evict()
    {
        while (_idle.Count > _options.MinIdle
            && Reactor.TimeProvider.GetElapsedTime(_idle[0].IdleSince) >= _options.IdleTimeout)
        {
            LetGo(_idle[0]);
        }

        KeepEvicting();
    }

    /// <param name="error">What callers are told that come later.</param>
    /// <param name="waitError">What callers are told that wait.</param>
    private void BeginEnd(Func<Exception> error, Func<Exception> waitError)
    {
        if (_endError is not null)
        {
            return;
        }

        _endError = error;
        Reactor.RemoveStarter(this);
        _eviction?.Cancel();
        while (_waiting.Take() is { } rent)
        {
            rent.SetException(waitError());
        }

        foreach (PoolMember member in _idle.ToArray())
        {
            _closing.Add(member.Connection);
            LetGo(member);
        }

        if (_closing.Count == 0)
        {
            _end.SetResult(true);
        }

        // Not inside this call, since it runs the callbacks of others.
        Reactor.PostAlways(new WorkItem(static ending => ((CancellationTokenSource)ending!).Cancel(), _ending));
    }
}
