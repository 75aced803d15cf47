using Microsoft.Extensions.Logging;
using SelectReactor.Threading;

namespace SelectReactor.Dispatch;

/// <summary>
/// The selector of a reactor, with the list of what it found ready and with its wake-up. For the reactor's thread
/// only, except <see cref="Wake"/>.
/// </summary>
internal sealed class Demultiplexer(
    ISelector selector,
    ThreadAffinity affinity,
    ClientRegistry clients,
    CallbackGuard guard,
    ILogger logger) : IDisposable
{
    private readonly List<SelectorEntry> _ready = [];
    private int _wakePending;

    public SelectionKey Register(Handle handle, Interest interest, IEventHandler handler)
    {
        if (handle.Registration is { IsEvicted: false })
        {
            throw new InvalidOperationException(
                $"{handle} is registered already. A handle has one key: change its interest, or cancel it first.");
        }

        var key = new SelectionKey(handle, interest, handler, selector, affinity);
        selector.Add(key.Entry);
        handle.Registration = key;
        handle.NoteEndPoints();
        return key;
    }

    public void Select(TimeSpan wait)
    {
        foreach (SelectorEntry entry in _ready)
        {
            entry.Ready = Interest.None;
        }

        _ready.Clear();
        try
        {
            selector.Select(wait, _ready);
        }
        finally
        {
            // Cleared before the mailbox is looked at: a thread that saw the flag set has posted before.
            if (Volatile.Read(ref _wakePending) != 0)
            {
                Interlocked.Exchange(ref _wakePending, 0);
            }
        }
    }

    /// <summary>Ends the wait of the loop. Many calls before the loop looks are one wake-up of the selector. Any
    /// thread.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _wakePending, 1) == 0)
        {
            selector.Wake();
        }
    }

    /// <summary>Calls the handlers of what the last wait found ready.</summary>
    /// <returns>How many were called.</returns>
    public int DispatchReady()
    {
        // An earlier callback may have cancelled a later key of the same batch, or narrowed its interest.
        int served = 0;
        foreach (SelectorEntry entry in _ready)
        {
            entry.Ready &= entry.Interest;
            if (entry.Key is { IsValid: true } key && (entry.Ready != Interest.None || entry.IsEvicted))
            {
                served++;
                Dispatch(key);
            }
        }

        return served;
    }

    public void Dispose() => selector.Dispose();

    private void Dispatch(SelectionKey key)
    {
        try
        {
            if (key.IsEvicted)
            {
                ReactorLog.Evicted(logger, key.Handle);
            }

            guard.BeginCallback(key.Attachment);
            ((IEventHandler)key.Attachment).OnReady(key);
            if (key.IsEvicted)
            {
                key.Cancel();
            }
        }
        catch (Exception exception) when (key.Attachment is IFallible part)
        {
            clients.Fail(part, exception);
        }
        catch (Exception exception)
        {
            Cancel(key);
            guard.Report(exception, ReactorLog.EventHandlerFault);
        }
        finally
        {
            guard.EndCallback();
        }
    }

    // What the selector refuses must not take the place of what the handler threw.
    private void Cancel(SelectionKey key)
    {
        try
        {
            key.Cancel();
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(logger, exception);
        }
    }
}
