namespace SelectReactor;

/// <summary>
/// A synchronous event demultiplexer: it waits until some of the registered handles are ready and says which. One
/// selector belongs to one reactor, which calls every member except <see cref="Wake"/> on its own thread.
/// </summary>
public interface ISelector : IDisposable
{
    /// <summary>Starts to watch a key's handle for the key's interest.</summary>
    /// <exception cref="ArgumentException">The handle is of a kind that this selector can't watch.</exception>
    /// <exception cref="InvalidOperationException">The selector holds as many keys as it can.</exception>
    void Add(SelectionKey key);

    /// <summary>Takes note that the interest of a key has changed; not called when old and new are equal.</summary>
    void Update(SelectionKey key, Interest previous);

    /// <summary>Stops to watch a key. Called before its handle closes, so that a reused descriptor is never confused.</summary>
    void Remove(SelectionKey key);

    /// <summary>
    /// Waits until a key is ready, <see cref="Wake"/> was called or the time is over, and never for less than
    /// <paramref name="wait"/> when nothing happened.
    /// </summary>
    /// <param name="wait">How long to wait; zero to look only, negative to wait without limit. An implementation may return
    /// early from a wait of more than ten minutes.</param>
    /// <param name="ready">Receives the ready keys, each once, with <see cref="SelectionKey.Ready"/> set. What the list
    /// held from the call before is taken out first, with <see cref="SelectionKey.Ready"/> cleared.</param>
    void Select(TimeSpan wait, List<SelectionKey> ready);

    /// <summary>
    /// Ends the current or the next wait at once. Any thread; many calls before a wait count as one; never throws,
    /// not even after the selector was disposed.
    /// </summary>
    void Wake();
}
