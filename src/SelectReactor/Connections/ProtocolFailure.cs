namespace SelectReactor.Connections;

/// <summary>The peer broke the protocol, which asynchronous code learns by an exception.</summary>
/// <param name="Kind">How the connection closes if the exception is not handled.</param>
/// <param name="Error">The exception.</param>
internal sealed record ProtocolFailure(CloseKind Kind, Exception Error);
