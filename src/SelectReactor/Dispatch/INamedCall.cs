namespace SelectReactor.Dispatch;

/// <summary>Work of the library around a function of the user, which messages name.</summary>
internal interface INamedCall
{
    Delegate Function { get; }
}
