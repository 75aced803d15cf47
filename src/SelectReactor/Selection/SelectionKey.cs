using SelectReactor.Threading;

namespace SelectReactor;

/// <summary>
/// The registration of one <see cref="SelectReactor.Handle"/> with a reactor's selector. A key is never used again for
/// another handle. To be used on the reactor's thread only.
/// </summary>
public sealed class SelectionKey
{
    private readonly ISelector _selector;
    private readonly ThreadAffinity _affinity;
    private Interest _interest;

    internal SelectionKey(Handle handle, Interest interest, object attachment, ISelector selector, ThreadAffinity affinity)
    {
        Handle = handle;
        Attachment = attachment;
        _interest = interest;
        _selector = selector;
        _affinity = affinity;
    }

    /// <summary>What is watched. Cancelling the key does not close it.</summary>
    public Handle Handle { get; }

    /// <summary>What to watch for. Setting it takes effect with the next wait, and has none on a key that is evicted.</summary>
    /// <exception cref="InvalidOperationException">It is set on a key that is cancelled, or on another thread.</exception>
    public Interest Interest
    {
        get => _interest;
        set
        {
            _affinity.Verify();
            if (!IsValid)
            {
                throw new InvalidOperationException("The key is cancelled: its interest can no longer be changed.");
            }

            if (value != _interest)
            {
                Interest previous = _interest;
                _interest = value;
                if (!IsEvicted)
                {
                    _selector.Update(this, previous);
                }
            }
        }
    }

    /// <summary>What the last wait found; set by the selector and meaningful until the next wait.</summary>
    public Interest Ready { get; set; }

    /// <summary>Whether the key is still registered.</summary>
    public bool IsValid { get; private set; } = true;

    /// <summary>Whether the selector dropped the key because its handle was closed behind the reactor's back.</summary>
    public bool IsEvicted { get; private set; }

    /// <summary>A place for the selector to remember where it keeps the key; nobody else reads it.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>The second such place, for a selector that keeps readers and writers apart.</summary>
    internal int WriteSlot { get; set; } = -1;

    /// <summary>For <see cref="SelectSelector"/>: in which full scan, by number, the key was last found ready.</summary>
    internal int LastHeat { get; set; }

    /// <summary>Whom the reactor calls when the key is ready.</summary>
    internal object Attachment { get; }

    /// <summary>Ends the registration at once: the handler is not called again, not even for what was found ready
    /// already. The handle stays open. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Cancel()
    {
        _affinity.Verify();
        if (IsValid)
        {
            IsValid = false;
            if (!IsEvicted)
            {
                _selector.Remove(this);
            }
        }
    }

    /// <summary>
    /// For selectors: marks a key as dropped because its handle is closed. The selector has forgotten it already and
    /// reports it as ready once more, so that its owner learns of it.
    /// </summary>
    public void Evict()
    {
        IsEvicted = true;
        Ready = _interest;
    }
}
