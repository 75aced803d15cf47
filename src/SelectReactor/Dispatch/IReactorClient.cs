namespace SelectReactor.Dispatch;

/// <summary>How far a reactor has got with its end.</summary>
internal enum StopPhase
{
    /// <summary>Nothing new is begun; what is open goes on.</summary>
    Drain,

    /// <summary>Whatever is still open closes now.</summary>
    Close,
}

/// <summary>What the end of a reactor concerns: connections, listeners, attempts to connect.</summary>
internal interface IStoppable
{
    void BeginStop(StopPhase phase);
}

/// <summary>What a reactor knows of a connection: nothing but its turns in the tick and at the end.</summary>
internal interface IReactorClient : IStoppable
{
    /// <summary>Where the reactor keeps the client in its list.</summary>
    int ClientIndex { get; set; }

    /// <summary>Sends what was written in this tick.</summary>
    void Flush();

    /// <summary>Closes for good and tells the user.</summary>
    void FinishClose();
}
