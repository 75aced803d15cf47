using System.Diagnostics;

namespace SelectReactor;

/// <summary>
/// One watched handle, as an <see cref="ISelector"/> sees it. A reactor makes one entry for each
/// <see cref="SelectionKey"/>; a test of a selector makes its own. Only the reactor's thread uses an entry.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class SelectorEntry
{
    /// <summary>Makes an entry. It is watched once it is given to <see cref="ISelector.Add"/>.</summary>
    /// <param name="handle">The handle to watch.</param>
    /// <param name="interest">What to watch it for.</param>
    /// <exception cref="ArgumentNullException"><paramref name="handle"/> is null.</exception>
    public SelectorEntry(Handle handle, Interest interest)
    {
        ArgumentNullException.ThrowIfNull(handle);
        Handle = handle;
        Interest = interest;
    }

    /// <summary>The watched handle.</summary>
    public Handle Handle { get; }

    /// <summary>
    /// What the selector watches for. The owner of the entry sets it and then calls <see cref="ISelector.Update"/>,
    /// unless the entry is evicted. A selector only reads it.
    /// </summary>
    public Interest Interest { get; set; }

    /// <summary>
    /// What the last wait found. The selector sets it; the owner sets it back to <see cref="Interest.None"/> before
    /// the next wait.
    /// </summary>
    public Interest Ready { get; set; }

    /// <summary>What the selector stores with the entry, such as its index in a table. Only the selector uses
    /// it.</summary>
    public object? State { get; set; }

    /// <summary>Whether the selector dropped the entry because its handle was closed without being removed
    /// first.</summary>
    public bool IsEvicted { get; private set; }

    /// <summary>The registration that the entry belongs to; null if there is no reactor.</summary>
    internal SelectionKey? Key { get; init; }

    /// <summary>Whether the registration has ended. It is stored here, where it takes no memory.</summary>
    internal bool IsCancelled { get; set; }

    /// <summary>
    /// Marks an entry as dropped, because its handle is closed. The selector calls this after it has removed the
    /// entry from its own tables, and reports the entry once more, so that the owner of the handle is told.
    /// </summary>
    public void Evict()
    {
        IsEvicted = true;
        Ready = Interest;
    }

    /// <summary>The handle, the interest and what it is ready for. Any thread.</summary>
    public override string ToString() => $"{Handle}, interest {Interest}, ready {Ready}";
}
