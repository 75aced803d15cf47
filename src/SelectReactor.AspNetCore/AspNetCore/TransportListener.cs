using System.Net;
using Microsoft.AspNetCore.Connections;

namespace SelectReactor.AspNetCore;

/// <summary>One bound end point. Any thread.</summary>
internal sealed class TransportListener : IConnectionListener
{
    private readonly GroupListener _listener;
    private readonly AcceptQueue _accepted;
    private readonly CancellationTokenRegistration _loopEnded;

    public TransportListener(GroupListener listener, AcceptQueue accepted, CancellationToken loopEnded)
    {
        _listener = listener;
        _accepted = accepted;
        EndPoint = listener.LocalEndPoint;
        accepted.Attach(listener);
        _loopEnded = loopEnded.UnsafeRegister(
            static accepted => ((AcceptQueue)accepted!).Complete(
                new InvalidOperationException("A loop of the transport has ended: no clients are accepted any more.")),
            accepted);
    }

    public EndPoint EndPoint { get; }

    /// <summary>Waits for a client.</summary>
    /// <returns>Null after <see cref="UnbindAsync"/>, when those that were accepted before are handed out.</returns>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _accepted.TakeAsync(cancellationToken).ConfigureAwait(false);

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        // Kestrel cancels the token where it is in a hurry, and relies on the end all the same. A loop that a handler
        // blocks closes its socket late.
        await _listener.StopAcceptingAsync()
            .WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _accepted.Complete();
    }

    public async ValueTask DisposeAsync()
    {
        _loopEnded.Dispose();
        using var bound = new CancellationTokenSource(TransportReactors.BlockedLoopBound);
        await UnbindAsync(bound.Token).ConfigureAwait(false);
        while (_accepted.TryTake() is { } context)
        {
            context.Abort(new ConnectionAbortedException("The listener was closed before the connection was served."));
            await context.DisposeAsync().AsTask()
                .WaitAsync(bound.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
