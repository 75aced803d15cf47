using SelectReactor.Clients;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>How a connection becomes one of the pool's. On the reactor's thread.</content>
public sealed partial class ConnectionPool
{
    private void OnConnected(PoolMember member, Task<Connection> task)
    {
        if (!task.IsCompletedSuccessfully)
        {
            Miss(task.ErrorOf());
            return;
        }

        member.Connection.Completion.ContinueOnLoop(Reactor, closed => OnClosed(member, closed.Result));
        if (_options.Prepare is { } prepare)
        {
            Prepare(member, prepare);
        }
        else
        {
            Welcome(member, error: null);
        }
    }

    // The place of a connection must not be held for good by code that waits for an answer that never comes.
    private void Prepare(PoolMember member, Func<Connection, CancellationToken, Task> prepare)
    {
        var ending = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        member.Preparation = ending;
        ReactorTimer? timer = _options.PrepareTimeout == Timeout.InfiniteTimeSpan
            ? null
            : Reactor.Schedule(_options.PrepareTimeout, () => Welcome(member, new TimeoutException(
                $"ConnectionPoolOptions.Prepare for {_endPoint} took longer than {_options.PrepareTimeout}: "
                    + "the connection was cut.")));
        Reactor.InvokeAsync(async () =>
        {
            await prepare(member.Connection, ending.Token);
            return true;
        }).ContinueOnLoop(Reactor, prepared =>
        {
            timer?.Cancel();
            Welcome(member, prepared.IsCompletedSuccessfully ? null : prepared.ErrorOf());
            member.Preparation = null;
            ending.Dispose();
        });
    }

    private void Welcome(PoolMember member, Exception? error)
    {
        if (member.At != PoolMember.Place.Connecting)
        {
            return;
        }

        if (error is null && member.IsUsable)
        {
            _counts.Connecting--;
            _counts.Connected++;
            Release(member);

            // The place that became free among MaxConnecting is for the next caller that waits.
            Grow();
            return;
        }

        // A server that closes at once must not be asked again and again for the same caller.
        member.At = PoolMember.Place.Gone;
        member.Connection.Abort();

        // Not inside this call, since it runs the callbacks of others.
        Reactor.PostAlways(new WorkItem(
            static member => ((PoolMember)member!).Preparation?.Cancel(), member));
        Miss(error ?? new IOException(
            $"The connection to {_endPoint} was closed, or has unread input, before it could be rented."));
    }

    // One attempt fails one caller, and the others have an attempt of their own.
    private void Miss(Exception error)
    {
        _counts.Connecting--;
        _waiting.Take()?.SetException(error);
        Grow();
    }
}
