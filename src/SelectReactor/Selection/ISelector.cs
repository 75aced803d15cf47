namespace SelectReactor;

/// <summary>
/// A synchronous event demultiplexer: it waits until some of the watched handles are ready, and reports them. One
/// selector belongs to one reactor, which calls every member except <see cref="Wake"/> on its own thread.
/// </summary>
/// <remarks>
/// A selector of your own can be tested without a reactor: make <see cref="SelectorEntry"/> objects, add them and call
/// <see cref="Select"/>. Members that a later version adds to this interface have default bodies, so that existing
/// selectors still compile and run.
/// </remarks>
public interface ISelector : IDisposable
{
    /// <summary>Starts to watch a handle. If it throws, the selector does not hold the entry.</summary>
    /// <param name="entry">The entry to add, with the interest to begin with. Each handle has at most one
    /// entry.</param>
    /// <exception cref="ArgumentException">The selector can't watch this kind of handle, or the handle is
    /// closed.</exception>
    /// <exception cref="InvalidOperationException">The selector holds as many entries as it can.</exception>
    /// <exception cref="IOException">The system refused, for example because it is out of memory.</exception>
    void Add(SelectorEntry entry);

    /// <summary>
    /// Applies a changed interest. <see cref="SelectorEntry.Interest"/> is the new value. Not called for equal
    /// values. If it throws, the selector still watches for the previous interest, and the caller restores that value
    /// in the entry.
    /// </summary>
    /// <param name="entry">An entry that was added and not removed or evicted.</param>
    /// <param name="previous">The interest before the change.</param>
    /// <exception cref="IOException">The system refused, for example because it is out of memory.</exception>
    void Update(SelectorEntry entry, Interest previous);

    /// <summary>
    /// Stops watching a handle. Must not throw. Called before the handle closes, so that a new handle with the same
    /// descriptor is not mistaken for the old one.
    /// </summary>
    /// <param name="entry">An entry that was added and not removed or evicted.</param>
    void Remove(SelectorEntry entry);

    /// <summary>
    /// Waits until a handle is ready, <see cref="Wake"/> is called or the time is over. If nothing happens, the wait
    /// is not shorter than <paramref name="wait"/>.
    /// </summary>
    /// <param name="wait">How long to wait: zero to only look, negative to wait without limit. An implementation may
    /// return early from a wait of more than ten minutes.</param>
    /// <param name="ready">An empty list, to which the selector adds each ready entry once, with
    /// <see cref="SelectorEntry.Ready"/> set. The caller has cleared <see cref="SelectorEntry.Ready"/> of the entries
    /// that the previous wait reported.</param>
    void Select(TimeSpan wait, List<SelectorEntry> ready);

    /// <summary>
    /// Ends the current wait at once, or the next one if there is none. Any thread. The reactor calls it once for many
    /// posts, so an implementation needs no flag of its own. It never throws, not even after the selector was
    /// disposed.
    /// </summary>
    void Wake();
}
