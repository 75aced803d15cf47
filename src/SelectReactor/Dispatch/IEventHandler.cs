namespace SelectReactor;

/// <summary>Receives the raw readiness of one <see cref="SelectionKey"/>: the low-level way to use a reactor.</summary>
public interface IEventHandler
{
    /// <summary>
    /// The handle is ready for what <see cref="SelectionKey.Ready"/> says. Called on the reactor's thread, once a tick for
    /// as long as the readiness lasts and the key asks for it. An exception is logged and cancels the key.
    /// </summary>
    void OnReady(SelectionKey key);
}
