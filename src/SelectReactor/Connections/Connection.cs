using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using SelectReactor.Connections;

namespace SelectReactor;

/// <summary>
/// One byte stream, accepted by a <c>Listener</c> or made by <c>ConnectAsync</c>. Use it on the reactor's thread; on
/// another thread members throw an <see cref="InvalidOperationException"/>, except those that say "any thread". The
/// class is abstract so that it can be mocked and decorated; members that are added later are virtual.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
public abstract class Connection : IDuplexPipe, IAsyncDisposable
{
    private WriteTurns? _writeTurns;

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

    /// <summary>How far it is in its life. Any thread.</summary>
    public abstract ConnectionState State { get; }

    /// <summary>The received bytes. Completing it discards all further input; completing it with an error aborts.
    /// After <see cref="Close()"/> reads throw an <see cref="IOException"/>, so that a reader does not take this
    /// side's close for the end of the peer's stream.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>The bytes to send. Advanced bytes leave at the end of the tick, flushed or not; a batch of more than
    /// about 64 KiB leaves at once. Completing it is <see cref="CloseOutput"/>; completing it with an error aborts.
    /// After <see cref="Close()"/> writes are dropped, and flushes say <c>IsCompleted</c>.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>Whether the output is open and below its high-water mark.</summary>
    public abstract bool IsWritable { get; }

    /// <summary>Bytes that were written and that the system has not taken yet.</summary>
    public abstract long QueuedOutputBytes { get; }

    /// <summary>The handler that is called. A protocol may hand over to another handler: unexamined input is offered
    /// to the new one, and an end of the peer's stream that was told before is told again.</summary>
    /// <exception cref="ArgumentNullException">It is set to null.</exception>
    public abstract IConnectionHandler Handler { get; set; }

    /// <summary>An object of yours that belongs to the connection. The library does not use it.</summary>
    public abstract object? UserState { get; set; }

    /// <summary>The bytes received and sent so far. Any thread; on another thread the figures may be a moment
    /// old.</summary>
    public abstract ConnectionStatistics Statistics { get; }

    /// <summary>Cancelled just before <see cref="IConnectionHandler.OnClosed"/>. Any thread. What is registered on it
    /// runs on the reactor's thread.</summary>
    public abstract CancellationToken ConnectionClosed { get; }

    /// <summary>Completes, never with an exception, after <see cref="IConnectionHandler.OnClosed"/> with the same
    /// reason. Any thread.</summary>
    public abstract Task<CloseReason> Completion { get; }

    /// <summary>Queues a copy of the bytes, all or none.</summary>
    /// <returns>False, and nothing was queued, if the queue would exceed
    /// <see cref="ConnectionOptions.MaxOutputBytes"/> or the output is closed; look at <see cref="State"/> before you
    /// take the second for the first. After the first, <see cref="IConnectionHandler.OnWritable"/> follows when there
    /// is room, unless the bytes are more than the limit and never fit.</returns>
    public abstract bool TryWrite(ReadOnlySpan<byte> bytes);

    /// <inheritdoc cref="TryWrite(ReadOnlySpan{byte})"/>
    public abstract bool TryWrite(in ReadOnlySequence<byte> bytes);

    /// <summary>Queues all of the bytes behind what was written before, however many segments they have: for handing
    /// on what was read from the input of another connection, or of this one. Call it before the reader's
    /// <c>AdvanceTo</c>. More than <see cref="ConnectionOptions.MaxOutputBytes"/> in the queue closes with
    /// <see cref="CloseKind.LimitExceeded"/>; then <see cref="CloseReason.UnsentBytes"/> counts what was queued up to
    /// there, and not the rest of the bytes.</summary>
    /// <remarks>
    /// <para>Bytes from the <see cref="Input"/> of a connection of the same reactor are queued without a copy where
    /// that is cheaper: the two connections share the memory, which is free again when the bytes were sent or dropped
    /// and the reader has advanced past them. Few bytes of a large block, bytes of another reactor's connections and
    /// bytes of yours are copied before the call returns. In each case the reader may advance, and you may reuse
    /// memory of yours, as soon as the call returns. For an array of yours <see cref="TryWrite(ReadOnlySpan{byte})"/>
    /// is the simpler call.</para>
    /// <para>Bytes may be appended several times and to several connections. After <see cref="Close()"/> or
    /// <see cref="Abort()"/> they are dropped.</para>
    /// <para>The version of this class, for decorators and mocks, writes a copy to <see cref="Output"/>.</para>
    /// </remarks>
    /// <param name="bytes">Must not change before the end of the call. Received bytes must not change at all.</param>
    /// <exception cref="InvalidOperationException">The output was completed, or the call was on another thread, or the
    /// reader had given the bytes back by <c>AdvanceTo</c> or <c>Complete</c>. The last is noticed unless by then the
    /// memory holds other bytes that the reader of a connection of the same reactor, this one or another, is looking
    /// at: then those are sent. Bytes of another reactor's connection are not checked at all.</exception>
    public virtual void Append(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            Reactor.VerifyAccess();
        }

        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            Output.Write(segment.Span);
        }
    }

    /// <summary>Receives nothing until <see cref="ResumeReading"/>. Meanwhile a reset by the peer is noticed within
    /// ten seconds or by the next send, and ends the connection, without what the system still holds of its input; a
    /// send leaves input that was received and not examined for up to ten seconds. The end of the peer's stream is
    /// noticed only after resuming. Idempotent.</summary>
    public abstract void PauseReading();

    /// <summary>Receives again; unexamined input is offered again. Idempotent.</summary>
    public abstract void ResumeReading();

    /// <summary>Sends the queue, then ends the output (FIN). Input goes on. Idempotent.</summary>
    public abstract void CloseOutput();

    /// <summary>Sends the queue, ends the output (FIN), and discards input until the peer has acknowledged everything
    /// and ended its stream, within the bounds of <see cref="ConnectionOptions.LingerTimeout"/> and
    /// <see cref="ConnectionOptions.MaxLingerTime"/>. Waiting reads and flushes end; no callback but
    /// <see cref="IConnectionHandler.OnClosed"/> follows. Idempotent.</summary>
    public abstract void Close();

    /// <summary>As <see cref="Close()"/>, for a reason of the protocol: what was written is still sent, for example a
    /// message that says what was wrong. Idempotent: the first reason counts.</summary>
    /// <param name="kind"><see cref="CloseKind.ProtocolError"/>, <see cref="CloseKind.TimedOut"/> or
    /// <see cref="CloseKind.LimitExceeded"/>.</param>
    /// <param name="error">The value for <see cref="CloseReason.Error"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kind"/> is another one.</exception>
    public abstract void Close(CloseKind kind, Exception? error);

    /// <summary>Discards the queue and cuts the connection (RST). No callback but
    /// <see cref="IConnectionHandler.OnClosed"/> follows, in a later phase of the tick. Idempotent.</summary>
    public void Abort() => Abort(error: null);

    /// <inheritdoc cref="Abort()"/>
    /// <param name="error">The value for <see cref="CloseReason.Error"/>.</param>
    public abstract void Abort(Exception? error);

    /// <summary>As <see cref="Abort()"/>, for a reason of the protocol.</summary>
    /// <param name="kind"><see cref="CloseKind.ProtocolError"/>, <see cref="CloseKind.TimedOut"/> or
    /// <see cref="CloseKind.LimitExceeded"/>.</param>
    /// <param name="error">The value for <see cref="CloseReason.Error"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kind"/> is another one.</exception>
    public abstract void Abort(CloseKind kind, Exception? error);

    /// <summary>Calls back once, <paramref name="due"/> from now, unless the connection closes before: a timer that
    /// belongs to the connection. Its callback never comes after <see cref="Close()"/> or <see cref="Abort()"/>, nor
    /// when the timer is changed then. An exception of it cuts the connection with
    /// <see cref="CloseKind.HandlerFault"/>, as one of the handler does.</summary>
    /// <param name="due">Zero means in the next tick.</param>
    /// <param name="callback">Called on the reactor's thread.</param>
    /// <returns>The timer. <see cref="ReactorTimer.Change(TimeSpan, TimeSpan)"/> makes it periodic. For a connection
    /// that is closed already the timer is not active.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="due"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public virtual ReactorTimer Schedule(TimeSpan due, Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var call = new TimerCall(this, callback);
        ReactorTimer timer = Reactor.Schedule(due, TimerCall.Run, call);
        call.Timer = timer;
        return timer;
    }

    /// <summary>
    /// The connection as a stream in both directions, for libraries that want one: <see cref="StreamReader"/>,
    /// <c>SslStream</c>, <c>JsonSerializer</c>. Its members may be used on any thread. Code on the reactor's thread
    /// that awaits them continues there, also after <c>ConfigureAwait(false)</c>. Code that calls them on another
    /// thread never continues on the reactor's.
    /// </summary>
    /// <remarks>
    /// <para>It is for an <see cref="AsyncConnectionHandler"/> and for clients without a handler: a handler that
    /// itself reads <see cref="Input"/> takes the bytes away. While a read waits, <c>OnReadable</c> is not
    /// called.</para>
    /// <para>Reads return 0 after the peer's end of stream (FIN), and throw an <see cref="IOException"/> with the
    /// reason once the connection is cut or closed by this side. A read into an empty buffer waits until there is data
    /// or the end, and consumes nothing. A cancelled read loses nothing. A second read while one waits throws an
    /// <see cref="InvalidOperationException"/>. Bytes that a reader of <see cref="Input"/> has examined and not
    /// consumed are read together with the next ones that arrive, not before.</para>
    /// <para><c>WriteAsync</c> completes when the bytes are queued and there is room for more. Unlike
    /// <see cref="Output"/> it throws an <see cref="IOException"/> once the output has ended. Writes that overlap
    /// follow each other in order, also those of several streams of the connection. More than 64 KiB are queued piece
    /// by piece: bytes that <c>TryWrite</c> or <see cref="Output"/> queue meanwhile come between the pieces. After a
    /// cancelled write, a part of it may have been sent, but nothing of a write that still waited for those before it.
    /// <c>FlushAsync</c> waits for room. A write while a flush of <see cref="Output"/> is awaited, or the other way
    /// round, throws an <see cref="InvalidOperationException"/> and queues nothing more.</para>
    /// <para>Calls on other threads need a loop that runs: while it does not, they wait for it, or for their token.
    /// Once the connection is closed they end at once. Synchronous calls block. On the reactor's thread they can't:
    /// <c>Read</c> throws an <see cref="InvalidOperationException"/> unless data or the end of the stream is there;
    /// <c>Write</c> queues, and throws an <see cref="IOException"/> if that would exceed
    /// <see cref="ConnectionOptions.MaxOutputBytes"/>; <c>Flush</c> does nothing.</para>
    /// <para><c>Dispose</c> calls <see cref="Close()"/>, which sends what was written, and does not wait.
    /// <c>DisposeAsync</c> waits until the connection is closed, as <see cref="DisposeAsync"/> does: if the peer does
    /// not end its stream, for <see cref="ConnectionOptions.LingerTimeout"/>.</para>
    /// <para>A call's task belongs to the thread of the call: if the call was on the reactor's thread and other code
    /// awaits its task with <c>ConfigureAwait(false)</c>, that code continues there, too.</para>
    /// <para><c>SslStream</c> stays on the reactor's thread. It checks certificates there synchronously, which blocks
    /// the loop if the check asks the network (revocation lists, missing intermediate certificates).</para>
    /// </remarks>
    /// <param name="leaveOpen">Whether the connection stays open when the stream is disposed. <see cref="Input"/> and
    /// <see cref="Output"/> can then be used as before; a read of the stream that still waits ends with an
    /// <see cref="ObjectDisposedException"/>.</param>
    public virtual Stream AsStream(bool leaveOpen = false) => new Connections.ConnectionStream(this, leaveOpen);

    /// <summary>An object of this type that the transport or a protocol below offers, such as the
    /// <see cref="System.Net.Sockets.Socket"/> of a real connection: for options that have no name here. Do not
    /// receive or send with it, and do not close it or dispose of it: close the connection. With epoll, the loop finds
    /// out that a socket was disposed of only when another socket gets its descriptor, or when the connection next
    /// writes, pauses or resumes. Null if there is none, as for a socket in a simulation. Call it on the reactor's
    /// thread.</summary>
    public virtual T? GetFeature<T>()
        where T : class => null;

    /// <summary>Closes as <see cref="Close()"/> does, and waits until it is closed. Any thread.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Reactor.Execute(static self => ((Connection)self!).Close(), this);

        // If several awaits share a task, the runtime sends all but one to the thread pool. So this one has its own.
        await Completion.ContinueWith(
            static _ => { },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default).ConfigureAwait(false);
    }

    /// <summary>For the writes of all streams of this connection. The reactor's thread.</summary>
    internal WriteTurns WriteTurns => _writeTurns ??= new WriteTurns(Reactor);

    /// <summary>What the handler's base class, or the reader of messages, keeps for the connection. A handler that
    /// takes over begins without.</summary>
    internal object? HandlerState { get; set; }

    /// <summary>Whether the handler should leave the rest of its input for later: the connection is not open, reading
    /// is paused, or it would be by <see cref="ConnectionOptions.PauseReadingWhenOutputIsFull"/>.</summary>
    internal virtual bool HoldsInput => State > ConnectionState.Open;

    /// <summary><see cref="ConnectionOptions.MaxInputBytes"/>; 0 if it is not known.</summary>
    internal virtual int InputLimit => 0;

    /// <summary>How many bytes may still be queued before <see cref="ConnectionOptions.MaxOutputBytes"/>; negative if
    /// the output takes none any more.</summary>
    internal virtual long OutputRoom => State <= ConnectionState.Open ? long.MaxValue : -1;

    /// <summary>Whether somebody else may go on with it as with a new one: it is open in both directions, and nobody
    /// has left input in it or waits for some.</summary>
    internal virtual bool IsReusable => State == ConnectionState.Open;

    /// <summary>Notes that code of the library for this handler runs, which a message is to name.</summary>
    internal virtual void BeginCallback(object handler)
    {
    }

    /// <summary>The handler failed in a callback or in an asynchronous method.</summary>
    internal virtual void Fault(Exception error, string callback) => Abort(error);
}
