namespace ApplicationNamespace;

using System.Net;
using SelectReactor;

/// <summary>Sends requests over one connection and awaits the responses. A connection that is lost is made anew. Any
/// thread may use it.</summary>
public sealed class MessageClient : IAsyncDisposable
{
    private readonly RequestClient<string, string> _requests;
    private readonly ReconnectingClient _connection;

    public MessageClient(Reactor reactor, EndPoint server)
    {
        _requests = new RequestClient<string, string>(
            reactor,
            Protocol.Encoder,
            Protocol.Decoder,
            new RequestClientOptions
            {
                // Without a connection requests wait for the next one, as long as the time-out allows.
                WhenDisconnected = WhenDisconnected.Wait,
                RequestTimeout = RequestTimeout,
            });
        _connection = new ReconnectingClient(reactor, server, _requests.Handler);
        _connection.Start();
    }

    /// <summary>An attempt to connect failed, and another one follows. Raised on the reactor's thread.</summary>
    public event Action<FailedAttempt> AttemptFailed
    {
        add => _connection.AttemptFailed += value;
        remove => _connection.AttemptFailed -= value;
    }

    /// <summary>How long a request may take, with the time until there is a connection.</summary>
    public static TimeSpan RequestTimeout { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Sends a request and waits for its response.</summary>
    /// <exception cref="RequestLostException">The connection was lost, and nobody knows whether the server has carried
    /// out the request.</exception>
    /// <exception cref="TimeoutException">There was no response in time.</exception>
    public Task<string> AskAsync(string question, CancellationToken cancellationToken = default) =>
        _requests.SendAsync(question, cancellationToken);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
