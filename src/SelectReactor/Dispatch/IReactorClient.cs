using SelectReactor.Diagnostics;

namespace SelectReactor.Dispatch;

/// <summary>How far a reactor has got with its end.</summary>
internal enum StopPhase
{
    /// <summary>Nothing new is started; open connections go on.</summary>
    Drain,

    /// <summary>Everything that is still open closes now.</summary>
    Close,
}

/// <summary>A part of the library that takes part in the reactor's end: connections, listeners, attempts to
/// connect.</summary>
internal interface IStoppable
{
    void BeginStop(StopPhase phase);
}

/// <summary>Something that will become a connection: an attempt to connect, or an accepted client in its
/// handshake.</summary>
internal interface IOpening : IStoppable;

/// <summary>A part of the library that the loop calls. When one of these calls throws, that part alone
/// fails.</summary>
internal interface IFallible
{
    /// <summary>A call of the loop threw <paramref name="error"/>: give up. Called on the reactor's thread, once for
    /// each such exception; must not throw.</summary>
    void Fail(Exception error);
}

/// <summary>A connection as the reactor sees it: its turns in the tick and at the end.</summary>
internal interface IReactorClient : IStoppable, IFallible
{
    /// <summary>The place of the client in the reactor's list. Only the reactor sets it.</summary>
    int ClientIndex { get; set; }

    /// <summary>Carries out what has changed since the last call: sends, updates the interest, decides on the
    /// end.</summary>
    void Settle();

    /// <summary>Closes the connection finally and tells the user.</summary>
    void FinishClose();

    /// <summary>For a dump. Changes nothing. Any thread; on another one it may throw if the connection changes
    /// meanwhile.</summary>
    ConnectionFacts GetFacts();

    /// <summary>One line of a dump, as <see cref="GetFacts"/>.</summary>
    string Describe();
}
