using System.IO.Pipelines;
using System.Net;

namespace SelectReactor;

/// <summary>
/// One byte stream, accepted by a <c>Listener</c> or made by <c>ConnectAsync</c>. Members are to be used on the reactor's
/// thread, and throw an <see cref="InvalidOperationException"/> elsewhere, except those that say "any thread". Abstract so
/// that it can be mocked and decorated; it does not grow further abstract members.
/// </summary>
public abstract class Connection : IDuplexPipe, IAsyncDisposable
{
    /// <summary>For decorators and mocks.</summary>
    protected Connection()
    {
    }

    /// <summary>A number that no other connection of the reactor has or will have. Any thread.</summary>
    public abstract long Id { get; }

    /// <summary>The reactor that serves it. Any thread.</summary>
    public abstract Reactor Reactor { get; }

    /// <summary>This side's address. Any thread.</summary>
    public abstract EndPoint? LocalEndPoint { get; }

    /// <summary>The peer's address. Any thread.</summary>
    public abstract EndPoint? RemoteEndPoint { get; }

    /// <summary>Where it is in its life. Any thread.</summary>
    public abstract ConnectionState State { get; }

    /// <summary>What was received. Completing it discards all further input; completing it with an error aborts.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>What is to be sent: all that was advanced goes out at the end of the tick, flushed or not, and a large batch
    /// at once. Completing it is <see cref="CloseOutput"/>; completing it with an error aborts.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>Whether the output is open and below its high-water mark.</summary>
    public abstract bool IsWritable { get; }

    /// <summary>Bytes written and not yet taken by the system.</summary>
    public abstract long QueuedOutputBytes { get; }

    /// <summary>Who is called. A protocol may hand over to another: unexamined input is then offered to the new one.</summary>
    /// <exception cref="ArgumentNullException">It is set to null.</exception>
    public abstract IConnectionHandler Handler { get; set; }

    /// <summary>For you to keep what belongs to the connection.</summary>
    public abstract object? UserState { get; set; }

    /// <summary>What went through so far. Any thread; elsewhere than on the reactor's the figures may be a moment old.</summary>
    public abstract ConnectionStatistics Statistics { get; }

    /// <summary>Cancelled just before <see cref="IConnectionHandler.OnClosed"/>.</summary>
    public abstract CancellationToken ConnectionClosed { get; }

    /// <summary>Completes, never with an exception, after <see cref="IConnectionHandler.OnClosed"/> with the same reason.
    /// Any thread.</summary>
    public abstract Task<CloseReason> Closed { get; }

    /// <summary>Queues a copy of the bytes, all or none.</summary>
    /// <returns>False, and nothing was queued, when that would exceed <see cref="ConnectionOptions.MaxOutputBytes"/> or the
    /// output is closed.</returns>
    public abstract bool TryWrite(ReadOnlySpan<byte> bytes);

    /// <summary>Receives nothing until <see cref="ResumeReading"/>. Meanwhile a peer that goes away is not noticed, unless
    /// something is sent. Idempotent.</summary>
    public abstract void PauseReading();

    /// <summary>Receives again; unexamined input is offered again. Idempotent.</summary>
    public abstract void ResumeReading();

    /// <summary>Sends what is queued, then ends the output (FIN). Input goes on. Idempotent.</summary>
    public abstract void CloseOutput();

    /// <summary>Sends what is queued, ends the output (FIN), and waits up to <see cref="ConnectionOptions.LingerTimeout"/> for
    /// the peer's end of stream, discarding input. No callback but <see cref="IConnectionHandler.OnClosed"/> follows.
    /// Idempotent.</summary>
    public abstract void Close();

    /// <summary>Discards what is queued and cuts the connection (RST). No callback but
    /// <see cref="IConnectionHandler.OnClosed"/> follows, in a later phase of the tick. Idempotent.</summary>
    /// <param name="error">What to tell in <see cref="CloseReason.Error"/>.</param>
    public abstract void Abort(Exception? error = null);

    /// <summary>What a transport or protocol below offers under this type, such as details of encryption; null when it
    /// offers none.</summary>
    public virtual T? GetFeature<T>()
        where T : class => null;

    /// <summary>Closes as <see cref="Close"/> does, and waits until it is closed. Any thread.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Reactor.Execute(static self => ((Connection)self!).Close(), this);
        await Closed.ConfigureAwait(false);
    }

    /// <summary>The handler failed, outside the callbacks that the connection guards itself.</summary>
    internal virtual void Fault(Exception error, string callback) => Abort(error);
}
