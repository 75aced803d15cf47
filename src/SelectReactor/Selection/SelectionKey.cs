using System.Diagnostics;
using SelectReactor.Threading;

namespace SelectReactor;

/// <summary>
/// The registration of one <see cref="SelectReactor.Handle"/> with a reactor. A key is never used again for another
/// handle. Use it on the reactor's thread only.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class SelectionKey
{
    private readonly ISelector _selector;
    private readonly ThreadAffinity _affinity;

    internal SelectionKey(
        Handle handle, Interest interest, object attachment, ISelector selector, ThreadAffinity affinity)
    {
        Entry = new SelectorEntry(handle, interest) { Key = this };
        Attachment = attachment;
        _selector = selector;
        _affinity = affinity;
    }

    /// <summary>The watched handle. Cancelling the key does not close it.</summary>
    public Handle Handle => Entry.Handle;

    /// <summary>
    /// What the handle is watched for. A new value takes effect with the next wait. It has no effect once the reactor
    /// has found the handle closed. If the selector refuses the new value, the setter throws and the old value stays.
    /// </summary>
    /// <exception cref="InvalidOperationException">The key is cancelled, or the setter is called on another
    /// thread.</exception>
    /// <exception cref="IOException">The selector could not change what it watches: the system is out of memory, or
    /// the handle's descriptor was closed.</exception>
    public Interest Interest
    {
        get => Entry.Interest;
        set
        {
            _affinity.Verify();
            if (!IsValid)
            {
                throw new InvalidOperationException("The key is cancelled: its interest can no longer be changed.");
            }

            if (value != Entry.Interest)
            {
                Change(value);
            }
        }
    }

    /// <summary>What the last wait found. Valid during <see cref="IEventHandler.OnReady"/>.</summary>
    public Interest Ready => Entry.Ready;

    /// <summary>Whether the key is still registered.</summary>
    public bool IsValid => !Entry.IsCancelled;

    /// <summary>The selector's view of this registration.</summary>
    internal SelectorEntry Entry { get; }

    /// <summary>Whether the selector dropped the entry because the handle was closed before the key was
    /// cancelled.</summary>
    internal bool IsEvicted => Entry.IsEvicted;

    /// <summary>The object that the reactor calls when the handle is ready.</summary>
    internal object Attachment { get; }

    /// <summary>
    /// Ends the registration at once. The handler is not called again, not even for readiness that the current tick
    /// has already found. The handle stays open and can be registered again. Idempotent.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public void Cancel()
    {
        _affinity.Verify();
        if (IsValid)
        {
            Entry.IsCancelled = true;
            if (Handle.Registration == this)
            {
                Handle.Registration = null;
            }

            if (!IsEvicted)
            {
                _selector.Remove(Entry);
            }
        }
    }

    /// <summary>The handle, the interest and whether it is cancelled. Any thread.</summary>
    public override string ToString() => IsValid ? $"{Handle}, {Entry.Interest}" : $"{Handle}, cancelled";

    private void Change(Interest value)
    {
        Interest previous = Entry.Interest;
        Entry.Interest = value;
        if (IsEvicted)
        {
            return;
        }

        try
        {
            _selector.Update(Entry, previous);
        }
        catch
        {
            Entry.Interest = previous;
            throw;
        }
    }
}
