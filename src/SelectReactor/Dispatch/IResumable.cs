namespace SelectReactor.Dispatch;

/// <summary>Work of the reactor's own thread that must not run inside a user's call, such as the end of a
/// wait.</summary>
internal interface IResumable
{
    /// <summary>Called once for each <see cref="Reactor.ResumeLater"/>, in a later phase of the loop.</summary>
    void Resume();
}
