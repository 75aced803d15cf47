namespace SelectReactor;

/// <summary>Receives the raw readiness of one <see cref="SelectionKey"/>: the low-level way to use a
/// reactor.</summary>
public interface IEventHandler
{
    /// <summary>
    /// The handle is ready for the operations in <see cref="SelectionKey.Ready"/>. Called on the reactor's thread,
    /// once in each tick while the handle is ready and the key has that interest. An exception is logged and cancels
    /// the key.
    /// </summary>
    void OnReady(SelectionKey key);
}
