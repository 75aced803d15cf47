using System.Threading.Channels;

namespace SelectReactor.AspNetCore;

/// <summary>
/// The connections of a listener that were accepted and not yet handed out. When many wait, the listener pauses, so
/// that further clients wait in the backlog of the system, which is bounded. Any thread.
/// </summary>
/// <param name="limit">So many make the listener pause, until half of them are left. The loops go on until the end of
/// their tick.</param>
internal sealed class AcceptQueue(int limit)
{
    private readonly Channel<TransportContext> _channel =
        Channel.CreateUnbounded<TransportContext>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _gate = new();
    private GroupListener? _listener;
    private int _count;
    private bool _isFull;

    /// <summary>The listener that fills the queue. Connections may have come before.</summary>
    public void Attach(GroupListener listener)
    {
        lock (_gate)
        {
            _listener = listener;
            if (_isFull)
            {
                listener.Pause();
            }
        }
    }

    /// <returns>False after <see cref="Complete"/>.</returns>
    public bool TryAdd(TransportContext connection)
    {
        lock (_gate)
        {
            if (!_channel.Writer.TryWrite(connection))
            {
                return false;
            }

            if (++_count >= limit && !_isFull)
            {
                _isFull = true;
                _listener?.Pause();
            }

            return true;
        }
    }

    /// <summary>Waits for a connection.</summary>
    /// <returns>Null after <see cref="Complete"/>, when all are handed out.</returns>
    public async ValueTask<TransportContext?> TakeAsync(CancellationToken cancellationToken)
    {
        while (await _channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (TryTake() is { } connection)
            {
                return connection;
            }
        }

        return null;
    }

    /// <returns>Null if none is there.</returns>
    public TransportContext? TryTake()
    {
        lock (_gate)
        {
            if (!_channel.Reader.TryRead(out TransportContext? connection))
            {
                return null;
            }

            if (--_count <= limit / 2 && _isFull)
            {
                _isFull = false;
                _listener?.Resume();
            }

            return connection;
        }
    }

    /// <summary>Takes no more.</summary>
    /// <param name="error">What <see cref="TakeAsync"/> throws when all are handed out. Null: it gives null.</param>
    public void Complete(Exception? error = null) => _channel.Writer.TryComplete(error);
}
