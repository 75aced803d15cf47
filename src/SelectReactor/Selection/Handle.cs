using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>
/// A non-blocking stream, listening or datagram socket, or a substitute for one: the seam between the reactor and the
/// operating system. No member throws for an event of the network: results are <see cref="SocketError"/> values, and
/// "nothing now" is <see cref="SocketError.WouldBlock"/>. A kind of handle overrides the members that it supports; the
/// others answer <see cref="SocketError.OperationNotSupported"/>. Use a handle on the reactor's thread only.
/// </summary>
public abstract partial class Handle : IDisposable
{
    /// <summary>The address this end is bound to; null when it is not bound or no longer known.</summary>
    public virtual EndPoint? LocalEndPoint => null;

    /// <summary>The address of the other end; null when it is not connected or no longer known.</summary>
    public virtual EndPoint? RemoteEndPoint => null;

    /// <summary>
    /// The socket below the handle, for options that have no name here and for a selector to watch. Null if there is
    /// none. A kind of handle may make it only when this is read, which is another reason to read it on the reactor's
    /// thread. Do not receive, send or close with it. Default: null.
    /// </summary>
    public virtual Socket? Socket => null;

    /// <summary>Whether the handle was closed, by this library or behind its back.</summary>
    public abstract bool IsClosed { get; }

    /// <summary>Sets an integer socket option (setsockopt(2)).</summary>
    public virtual SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value) =>
        SocketError.OperationNotSupported;

    /// <summary>
    /// Sets a socket option by the numbers and bytes of the operating system (setsockopt(2)), for options that have
    /// no name in .NET.
    /// </summary>
    public virtual SocketError SetOption(int level, int name, ReadOnlySpan<byte> value) =>
        SocketError.OperationNotSupported;

    /// <summary>Binds to a local address (bind(2)). Port 0 lets the system choose one.</summary>
    public virtual SocketError Bind(EndPoint localEndPoint) => SocketError.OperationNotSupported;

    /// <summary>Starts to listen with room for <paramref name="backlog"/> connections not yet accepted
    /// (listen(2)).</summary>
    public virtual SocketError Listen(int backlog) => SocketError.OperationNotSupported;

    /// <summary>Takes one waiting connection (accept(2)).</summary>
    /// <param name="accepted">A new, non-blocking handle on success; otherwise null.</param>
    public virtual SocketError Accept(out Handle? accepted)
    {
        accepted = null;
        return SocketError.OperationNotSupported;
    }

    /// <summary>
    /// A second handle on the same listening socket, for the selector of another reactor (dup(2)). Both accept from
    /// one queue, and the socket listens until both are closed. A selector wakes one of those that watch it for a
    /// client; the client may be gone when it accepts, which is <see cref="SocketError.WouldBlock"/>. Default: null,
    /// which says that this kind of handle can't be shared.
    /// </summary>
    /// <exception cref="IOException">The system has no descriptor left.</exception>
    public virtual Handle? ShareListener() => null;

    /// <summary>
    /// Begins to connect (connect(2)). <see cref="SocketError.WouldBlock"/> or <see cref="SocketError.InProgress"/>
    /// means that <see cref="Interest.Connect"/> will tell when it ended.
    /// </summary>
    /// <remarks>A datagram handle connects at once and sends nothing: it fixes the peer that <c>Send</c> sends to and
    /// that datagrams are accepted from. It connects once; a second call returns
    /// <see cref="SocketError.IsConnected"/>.</remarks>
    public virtual SocketError Connect(EndPoint remoteEndPoint) => SocketError.OperationNotSupported;

    /// <summary>
    /// Receives into one buffer (recv(2)). Success with 0 bytes is the peer's end of stream.
    /// </summary>
    /// <remarks>
    /// A reset that a send has already reported is <see cref="SocketError.ConnectionReset"/> here too, and never an
    /// end of stream, on TCP sockets of Linux. Other systems and Unix-domain sockets report a reset only once: after
    /// a send that ran into it, a receive may say 0 bytes. Once the output was ended with <see cref="Shutdown"/>, no
    /// system tells a reset that was already reported from the end of both directions.
    /// <para>A datagram handle receives one datagram, as <see cref="ReceiveFrom"/> does but without its sender; 0
    /// bytes are an empty datagram.</para>
    /// </remarks>
    public virtual SocketError Receive(Span<byte> buffer, out int received)
    {
        received = 0;
        return SocketError.OperationNotSupported;
    }

    /// <summary>
    /// Sends from one buffer (send(2)). Fewer bytes than given is a short send: the send buffer is full. A datagram
    /// handle sends one datagram to the peer that it is connected to, whole or not at all.
    /// </summary>
    public virtual SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        sent = 0;
        return SocketError.OperationNotSupported;
    }

    /// <summary>Sends several buffers at once, in order (sendmsg(2)); otherwise as the other overload. No buffers are
    /// the same as an empty one.</summary>
    public virtual SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        sent = 0;
        return SocketError.OperationNotSupported;
    }

    /// <summary>Receives one datagram and the address of its sender (recvfrom(2)). Allocates nothing.</summary>
    /// <remarks>
    /// <para>Success with 0 bytes is an empty datagram. <see cref="SocketError.MessageSize"/> means that the datagram
    /// was longer than the buffer: the buffer is filled, and the rest is lost. Linux and Windows report it; other
    /// systems cut the datagram without notice. A buffer of 65,535 bytes holds every UDP datagram. On a connected
    /// handle, and with nothing received, it means that one which was sent was too long for a router.</para>
    /// <para>On a connected handle <see cref="SocketError.ConnectionRefused"/> means that no program listens on the
    /// peer's port (an ICMP message said so). The handle stays usable, and the next call may succeed. A handle that is
    /// not connected is never told.</para>
    /// </remarks>
    /// <param name="buffer">The memory for the datagram.</param>
    /// <param name="sender">Overwritten with the sender's address. Make it once with
    /// <c>new SocketAddress(family)</c> and use it again for each datagram. To keep an address, for example as the key
    /// of a dictionary, copy it. Behind the address the buffer is zero, as <see cref="SocketAddress"/> compares whole
    /// buffers. <c>IPEndPoint.Create</c> makes an end point of it. If it is too small for the
    /// handle's family, the result is <see cref="SocketError.Fault"/>, and the datagram stays.</param>
    /// <param name="received">The number of bytes in the buffer.</param>
    public virtual SocketError ReceiveFrom(Span<byte> buffer, SocketAddress sender, out int received)
    {
        received = 0;
        return SocketError.OperationNotSupported;
    }

    /// <summary>
    /// Sends one datagram to an address (sendto(2)), whole or not at all. Allocates nothing. If the handle is not
    /// bound, the system chooses its port.
    /// </summary>
    /// <remarks>
    /// <see cref="SocketError.MessageSize"/> means that the datagram is too long: UDP carries 65,507 bytes over IPv4.
    /// <see cref="SocketError.AccessDenied"/> means that a broadcast needs the option
    /// <see cref="SocketOptionName.Broadcast"/>. A connected handle may report
    /// <see cref="SocketError.ConnectionRefused"/> for an earlier datagram; then this one was not sent.
    /// </remarks>
    /// <param name="datagram">The content.</param>
    /// <param name="receiver">The address; <c>EndPoint.Serialize</c> makes one.</param>
    /// <param name="sent">The number of bytes sent.</param>
    public virtual SocketError SendTo(ReadOnlySpan<byte> datagram, SocketAddress receiver, out int sent)
    {
        sent = 0;
        return SocketError.OperationNotSupported;
    }

    /// <summary>
    /// Tells how much of the output the peer's system has acknowledged. The count grows from 0 to the number of bytes
    /// that this handle has sent; the handshake (SYN) and the end of the stream (FIN) do not count.
    /// </summary>
    /// <param name="bytes">The acknowledged bytes; 0 if that is not known.</param>
    /// <returns>Whether the system tells. The default implementation answers false.</returns>
    public virtual bool TryGetAcknowledgedBytes(out long bytes)
    {
        bytes = 0;
        return false;
    }

    /// <summary>Ends one or both directions (shutdown(2)). Ending the sending direction sends FIN.</summary>
    public virtual SocketError Shutdown(SocketShutdown how) => SocketError.OperationNotSupported;

    /// <summary>Reads and clears the pending error (SO_ERROR), such as the outcome of a connection attempt.</summary>
    public virtual SocketError TakeError() => SocketError.OperationNotSupported;

    /// <summary>
    /// Closes without waiting. What was sent stays on its way, but a peer whose bytes were not read may see a reset.
    /// Idempotent.
    /// </summary>
    public abstract void Close();

    /// <summary>Closes and discards what was not delivered: the peer sees a reset (RST). Idempotent.</summary>
    public virtual void Abort() => Close();

    /// <summary>The kind of handle and its end points, for messages.</summary>
    public override string ToString() => Describe(GetType().Name, LocalEndPoint, RemoteEndPoint);

    /// <summary>The same as <see cref="Close"/>.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The key that the handle is registered with; null when it is not registered.</summary>
    internal SelectionKey? Registration { get; set; }

    /// <summary>The handle that the selector watches. A handle around another one gives the inner one.</summary>
    internal virtual Handle Watched => this;

    /// <summary>What the handle holds that no selector can tell of.</summary>
    internal virtual HeldBytes Held => HeldBytes.None;

    /// <summary>Goes on to send what <see cref="Held"/> says is left to send. A failure is told by the next
    /// <see cref="Send(ReadOnlySpan{byte}, out int)"/> or <see cref="Receive"/>.</summary>
    internal virtual void Flush()
    {
    }

    /// <summary>Tells how far the output has come, in bytes that the handle has made of it: to see whether the peer
    /// takes anything, where <see cref="TryGetAcknowledgedBytes"/> counts in larger steps.</summary>
    /// <param name="sent">The bytes that were given to the network.</param>
    /// <param name="taken">Those of them that the peer's system has acknowledged; all where nobody can tell.</param>
    /// <returns>False if the handle sends the output as it is. The default.</returns>
    internal virtual bool TryMeasureTransport(out long sent, out long taken)
    {
        sent = taken = 0;
        return false;
    }

    /// <summary>An exception for an error that the handle has returned last. Only that of a socket is a
    /// <see cref="SocketException"/>.</summary>
    internal virtual Exception Explain(SocketError error) => new SocketException((int)error);

    /// <summary>What is to be said about an end of stream that was received. Null if it was in order.</summary>
    internal virtual Exception? EndOfStreamFault => null;

    /// <summary>Notes the end points while the system still knows them, so that a message can name a closed
    /// handle.</summary>
    internal virtual void NoteEndPoints()
    {
    }

    private protected static string Describe(string kind, EndPoint? local, EndPoint? remote) => (local, remote) switch
    {
        (null, null) => $"{kind} without a known end point",
        (_, null) => $"{kind} on {EndPointText.Of(local)}",
        (null, _) => $"{kind} to {EndPointText.Of(remote)}",
        _ => $"{kind} on {EndPointText.Of(local)} to {EndPointText.Of(remote)}",
    };

    /// <summary>Closes the handle.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close();
        }
    }
}
