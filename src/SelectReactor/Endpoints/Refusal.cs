namespace SelectReactor.Endpoints;

/// <summary>Why a client is refused.</summary>
/// <param name="Why">For messages.</param>
/// <param name="ErrorType">For the tag <c>error.type</c>.</param>
internal sealed record Refusal(string Why, string ErrorType)
{
    public static Refusal Limit { get; } = new("the limit on connections is reached", "connection_limit");

    public static Refusal Filter { get; } = new("the filter does not allow it", "accept_filter");

    public static Refusal Stranger { get; } = new("it is not a trusted proxy", "untrusted_client");

    public static Refusal ListenerClosed { get; } = new("the listener is closed", "listener_closed");

    public static Refusal NoDescriptor { get; } = new("no descriptor is left", "no_descriptor");

    public static Refusal NoReactor { get; } = new("no reactor of the group takes clients", "no_reactor");

    public static Refusal ReactorDisposed { get; } = new("the reactor is disposed", ReactorEnded);

    public static Refusal NotRegistered { get; } = new("it can't be registered", "selector");

    public static Refusal NoHandler { get; } = new("its handler can't be made", "handler_factory");

    private const string ReactorEnded = "reactor_ended";

    /// <summary>The reactor is stopping, as the message says.</summary>
    public static Refusal ReactorStops(string message) => new(message, ReactorEnded);
}
