using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor;

/// <summary>A <see cref="Handle"/> on a real <see cref="System.Net.Sockets.Socket"/>, which it owns and
/// closes.</summary>
public sealed partial class SocketHandle : Handle
{
    private readonly Socket _socket;
    private readonly bool _isDatagram;
    private readonly bool _isTcp;
    private readonly bool _inheritsLinger;
    private TcpProgress _progress;
    private BoundFile? _boundFile;
    private EndPoint? _knownLocal;
    private EndPoint? _knownRemote;

    /// <summary>
    /// Takes over a stream or datagram socket. It becomes non-blocking, and a linger time (SO_LINGER) is removed,
    /// since closing would block the thread for that time.
    /// </summary>
    /// <param name="socket">The socket. Nobody else may read from it, write to it or close it from now on.</param>
    /// <exception cref="ArgumentNullException"><paramref name="socket"/> is null.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="socket"/> is closed.</exception>
    public SocketHandle(Socket socket)
        : this(socket ?? throw new ArgumentNullException(nameof(socket)), isForeign: true)
    {
    }

    private SocketHandle(Socket socket, bool isForeign)
    {
        socket.Blocking = false;
        _socket = socket;
        _isDatagram = socket.SocketType == SocketType.Dgram;
        _isTcp = TcpInfo.IsKnownFor(socket);
        if (_isDatagram)
        {
            DatagramCall.SetReportsUnreachable(socket, reports: RemoteEndPoint is not null);
        }

        if (isForeign)
        {
            _inheritsLinger = SocketCall.RemoveLinger(socket);
            if (TryGetInfo(out TcpInfo info))
            {
                _progress.TakeOver(info);
            }

            _boundFile = BoundFile.Of(LocalEndPoint);
        }
    }

    /// <inheritdoc/>
    public override Socket Socket => _socket;

    /// <summary>Whether <see cref="Listen"/> has made it a listening socket.</summary>
    internal bool IsListening { get; private set; }

    /// <summary>Whether the descriptor is not a socket, or no longer one.</summary>
    internal bool IsBroken => SocketCall.IsBroken(_socket);

    /// <summary>Whether an error is pending, which <c>Socket.Select</c> does not report alone.</summary>
    internal bool HasError => SocketCall.HasError(_socket);

    /// <summary>Whether it is a datagram socket with a pending error.</summary>
    internal bool HasDatagramError => _isDatagram && HasError;

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint => Ask(static socket => socket.LocalEndPoint, ref _knownLocal);

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint =>

        // The runtime forgets the peer of a datagram socket when a call reports an error.
        _isDatagram && _knownRemote is not null && !IsClosed
            ? _knownRemote
            : Ask(static socket => socket.RemoteEndPoint, ref _knownRemote);

    /// <inheritdoc/>
    public override bool IsClosed => _socket.SafeHandle.IsClosed;

    /// <inheritdoc/>
    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value) =>
        Try(
            (level, name, value),
            static (socket, option) => socket.SetSocketOption(option.level, option.name, option.value));

    /// <inheritdoc/>
    public override SocketError SetOption(int level, int name, ReadOnlySpan<byte> value)
    {
        try
        {
            _socket.SetRawSocketOption(level, name, value);
            return SocketError.Success;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
    }

    /// <inheritdoc/>
    public override SocketError Bind(EndPoint localEndPoint)
    {
        SocketError error = Try(localEndPoint, static (socket, endPoint) => socket.Bind(endPoint));
        if (error == SocketError.Success)
        {
            _boundFile = BoundFile.Of(localEndPoint);
        }

        return error;
    }

    /// <inheritdoc/>
    public override SocketError Listen(int backlog)
    {
        SocketError error = Try(backlog, static (socket, backlog) => socket.Listen(backlog));
        IsListening |= error == SocketError.Success;
        return error;
    }

    /// <inheritdoc/>
    public override SocketError Accept(out Handle? accepted)
    {
        accepted = null;
        if (_isDatagram)
        {
            return IsClosed ? SocketError.OperationAborted : SocketError.OperationNotSupported;
        }

        try
        {
            // Socket.Accept throws when there is no connection, which costs twenty times as much as asking first.
            if (!_socket.Poll(0, SelectMode.SelectRead))
            {
                return SocketError.WouldBlock;
            }

            var handle = new SocketHandle(_socket.Accept(), isForeign: false);
            if (_inheritsLinger)
            {
                // A client that came before this handle took the listener over.
                SocketCall.RemoveLinger(handle.Socket);
            }

            accepted = handle;
            return SocketError.Success;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
        catch (InvalidOperationException)
        {
            // It does not listen, which accept(2) calls an invalid argument.
            return SocketError.InvalidArgument;
        }
    }

    /// <inheritdoc/>
    public override SocketError Connect(EndPoint remoteEndPoint)
    {
        if (_isDatagram)
        {
            return ConnectDatagrams(remoteEndPoint);
        }

        _progress.BeginConnect();
        _knownRemote = remoteEndPoint;
        return Try(remoteEndPoint, static (socket, endPoint) => socket.Connect(endPoint));
    }

    /// <inheritdoc/>
    public override SocketError Receive(Span<byte> buffer, out int received)
    {
        try
        {
            if (_isDatagram)
            {
                return DatagramCall.Receive(_socket, buffer, out received);
            }

            received = _socket.Receive(buffer, SocketFlags.None, out SocketError error);
            bool isEnd = received == 0 && error == SocketError.Success && buffer.Length > 0;
            return isEnd && !_progress.HasEndedOutput && IsCut() ? SocketError.ConnectionReset : error;
        }
        catch (ObjectDisposedException)
        {
            received = 0;
            return SocketError.OperationAborted;
        }
    }

    /// <inheritdoc/>
    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        try
        {
            sent = _socket.Send(buffer, SocketFlags.None, out SocketError error);
            _progress.AddSent(sent);
            return Sent(error);
        }
        catch (ObjectDisposedException)
        {
            sent = 0;
            return SocketError.OperationAborted;
        }
    }

    /// <inheritdoc/>
    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        ArgumentNullException.ThrowIfNull(buffers);
        if (buffers.Count == 0)
        {
            // The runtime takes no empty list.
            return Send(ReadOnlySpan<byte>.Empty, out sent);
        }

        try
        {
            sent = _socket.Send(buffers, SocketFlags.None, out SocketError error);
            _progress.AddSent(sent);
            return Sent(error);
        }
        catch (ObjectDisposedException)
        {
            sent = 0;
            return SocketError.OperationAborted;
        }
    }

    /// <inheritdoc/>
    public override SocketError Shutdown(SocketShutdown how)
    {
        if (_isDatagram)
        {
            return IsClosed ? SocketError.OperationAborted : SocketError.OperationNotSupported;
        }

        SocketError error = Try(how, static (socket, how) => socket.Shutdown(how));
        if (error == SocketError.Success && how != SocketShutdown.Receive)
        {
            _progress.EndOutput();
        }

        return error;
    }

    /// <inheritdoc/>
    public override void Close()
    {
        if (_boundFile is { WasReplaced: true })
        {
            CloseDescriptor();
        }
        else
        {
            _socket.Dispose();
        }
    }

    /// <inheritdoc/>
    public override void Abort()
    {
        // Linger for zero seconds is how the socket interface spells "reset"; a longer linger would block the loop.
        Try(0, static (socket, seconds) => socket.LingerState = new LingerOption(enable: true, seconds));
        Close();
    }

    /// <summary>The kind of socket and its end points, as far as they are or were known. For messages.</summary>
    public override string ToString() => Describe(
        _isDatagram ? "SocketHandle (datagrams)" : IsListening ? "SocketHandle (listener)" : "SocketHandle",
        LocalEndPoint ?? _knownLocal,
        RemoteEndPoint ?? _knownRemote);

    // The runtime takes a socket that connects for connected once it was asked for an end point.
    internal override void NoteEndPoints()
    {
        if (_knownRemote is null)
        {
            _ = _knownLocal ?? LocalEndPoint;
            _ = RemoteEndPoint;
        }
    }

    /// <summary>A handle on a socket that this library has made.</summary>
    internal static SocketHandle OfNew(Socket socket) => new(socket, isForeign: false);

    // When it is disposed or finalized, the socket would delete a file that is not its own.
    [SuppressMessage("Usage", "CA1816", Justification = "The socket has nothing left to finalize.")]
    private void CloseDescriptor()
    {
        _socket.SafeHandle.Dispose();
        GC.SuppressFinalize(_socket);
    }

    private EndPoint? Ask(Func<Socket, EndPoint?> question, ref EndPoint? known)
    {
        EndPoint? answer = SocketCall.Ask(_socket, question);
        known = answer ?? known;
        return answer;
    }

    private SocketError Try<T>(T argument, Action<Socket, T> action) => SocketCall.Try(_socket, argument, action);
}
