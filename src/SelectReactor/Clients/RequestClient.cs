using System.Buffers;
using System.Diagnostics;
using SelectReactor.Clients;

namespace SelectReactor;

/// <summary>
/// Sends requests over one connection and gives each the response that belongs to it, for protocols that answer in
/// order. Requests are sent without waiting for the responses to those before (pipelining). Connect its
/// <see cref="Handler"/> with <c>ConnectAsync</c>, or with a <see cref="ReconnectingClient"/> for a connection that
/// comes back. <see cref="SendAsync"/> may be called on any thread.
/// </summary>
/// <remarks>A response that no request has asked for closes the connection with
/// <see cref="CloseKind.ProtocolError"/>, and one that is too late cuts it with <see cref="CloseKind.TimedOut"/>. When
/// the connection ends, all requests that were sent fail with a <see cref="RequestLostException"/>.</remarks>
/// <typeparam name="TRequest">The type of the requests.</typeparam>
/// <typeparam name="TResponse">The type of the responses. They must not refer to the input, which is reused: let the
/// decoder copy what it needs, with <see cref="MessageDecoder{T}.Select"/>.</typeparam>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class RequestClient<TRequest, TResponse>
{
    private readonly Reactor _reactor;
    private readonly RequestPipeline<TRequest, TResponse> _pipeline;

    /// <summary>A client with default options.</summary>
    /// <param name="reactor">The reactor of the connection.</param>
    /// <param name="encoder">Writes the requests. It must keep no state between connections.</param>
    /// <param name="decoder">Finds the responses. It must keep no state between connections.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The responses are a <see cref="ReadOnlySequence{T}"/>, which would be
    /// overwritten before it is read.</exception>
    public RequestClient(Reactor reactor, MessageEncoder<TRequest> encoder, MessageDecoder<TResponse> decoder)
        : this(reactor, encoder, decoder, new RequestClientOptions())
    {
    }

    /// <summary>A client, which has no connection before its <see cref="Handler"/> is connected. Any thread.</summary>
    /// <param name="reactor">The reactor of the connection.</param>
    /// <param name="encoder">Writes the requests. It must keep no state between connections.</param>
    /// <param name="decoder">Finds the responses. It must keep no state between connections.</param>
    /// <param name="options">Time-outs and limits. They are copied.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The responses are a <see cref="ReadOnlySequence{T}"/>, which would be
    /// overwritten before it is read.</exception>
    public RequestClient(
        Reactor reactor,
        MessageEncoder<TRequest> encoder,
        MessageDecoder<TResponse> decoder,
        RequestClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);
        ArgumentNullException.ThrowIfNull(options);
        if (typeof(TResponse) == typeof(ReadOnlySequence<byte>))
        {
            throw new ArgumentException(
                "The responses refer to the input, which is used again before they are read: copy them, with "
                    + "decoder.Select(response => response.ToArray()).",
                nameof(decoder));
        }

        _reactor = reactor;
        _pipeline = new RequestPipeline<TRequest, TResponse>(reactor, encoder, decoder, options.Copy());
    }

    /// <summary>The handler of its connection. It takes one connection at a time: a second one is cut.</summary>
    public IConnectionHandler Handler => _pipeline;

    /// <summary>Requests that were sent and have no response yet; on other threads than the reactor's the number may
    /// be a moment old.</summary>
    public int InFlight => _pipeline.InFlight;

    /// <summary>Requests that wait to be sent; on other threads than the reactor's the number may be a moment
    /// old.</summary>
    public int Waiting => _pipeline.Waiting;

    /// <summary>Sends a request, at once or when there is room in the pipeline. Any thread.</summary>
    /// <param name="request">The request. It is encoded when it is sent: do not change it before the task
    /// completes.</param>
    /// <param name="cancellationToken">Ends the wait for the response. A request that was sent is still carried out,
    /// and its response is dropped; it can still time out.</param>
    /// <returns>A task with the response. It fails with a <see cref="RequestLostException"/> if the connection ends
    /// after the request was sent; with an <see cref="IOException"/> if there is no connection, or
    /// <see cref="RequestClientOptions.MaxWaiting"/> is reached, and nothing was sent; with a
    /// <see cref="TimeoutException"/> after <see cref="RequestClientOptions.RequestTimeout"/>; with what the encoder
    /// throws (if it has written something by then, the connection is cut, for the server would take that for the
    /// beginning of the next request); and with an <see cref="ObjectDisposedException"/> if the reactor is disposed.
    /// Code that awaits it on the reactor's thread continues there.</returns>
    public Task<TResponse> SendAsync(TRequest request, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<TResponse>(cancellationToken);
        }

        var pending = new PendingRequest<TRequest, TResponse>(_reactor, request, cancellationToken);
        if (!_reactor.Execute(_ => _pipeline.Accept(pending), null))
        {
            pending.SetException(Reactor.DisposedError());
        }

        // Asked for only now: on the loop an outcome that is there already is a completed task.
        return pending.Task;
    }

    /// <summary>The numbers of requests. Any thread; on another one than the reactor's they may be a moment
    /// old.</summary>
    public override string ToString() => $"{_pipeline}";
}
