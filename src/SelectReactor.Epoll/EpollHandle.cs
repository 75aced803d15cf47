using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SelectReactor.Selection;

namespace SelectReactor.Epoll;

/// <summary>
/// A socket of Linux that receives, sends and accepts by system calls. The rare calls go to a core
/// <see cref="SocketHandle"/>, which an accepted handle makes only when it is asked for one of them.
/// </summary>
/// <remarks>
/// A descriptor is a number that the system gives to another socket once it is closed. Before the number is used, this
/// class therefore knows that it is still its own. Only the reactor's thread uses and closes a handle, so the field
/// says it. Once a user has the <see cref="Socket"/>, which any thread may dispose of, each call holds a reference of
/// the safe handle, which keeps the number from being closed.
/// </remarks>
internal sealed partial class EpollHandle : Handle
{
    private readonly SocketKind _kind;
    private readonly EndPoint? _peer;

    /// <summary>Whether accepted clients may have a linger time: they inherit it from a listener that was taken
    /// over.</summary>
    private readonly bool _inheritsLinger;

    /// <summary>Negative until it is known, since the finalizer also runs if the constructor throws.</summary>
    private int _descriptor = -1;
    private EndPoint? _localEndPoint;
    private TcpProgress _progress;

    /// <summary>Owns the descriptor once it is there.</summary>
    private SocketHandle? _inner;

    /// <summary>The safe handle of the socket, once a user may have it.</summary>
    private SafeSocketHandle? _shared;

    /// <summary>Takes over a socket.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="isForeign">Whether others have it, too.</param>
    public EpollHandle(Socket socket, bool isForeign)
    {
        _inner = new SocketHandle(socket);
        NeedNoFinalizer();
        _descriptor = (int)socket.SafeHandle.DangerousGetHandle();
        _kind = socket.SocketType == SocketType.Dgram ? SocketKind.Datagram
            : TcpInfo.IsKnownFor(socket) ? SocketKind.Tcp
            : SocketKind.Stream;
        if (isForeign)
        {
            _shared = socket.SafeHandle;
            _inheritsLinger = true;
            if (TryGetInfo(out TcpInfo info))
            {
                _progress.TakeOver(info);
            }
        }
    }

    // Accepted.
    private EpollHandle(int descriptor, SocketKind kind, EndPoint? peer)
    {
        _descriptor = descriptor;
        _kind = kind;
        _peer = peer;
    }

    // An owner that forgets a reactor must not leak its descriptors. Not needed with a socket, which has its own.
    ~EpollHandle() => CloseDescriptor();

    // Shared: a duplicate of the descriptor of a listener.
    private EpollHandle(EpollHandle listener, int descriptor)
        : this(descriptor, listener._kind, peer: null)
    {
        _inheritsLinger = listener._inheritsLinger;
        IsShared = true;
    }

    private enum SocketKind : byte
    {
        /// <summary>A stream of which the kernel has no TCP_INFO.</summary>
        Stream,
        Tcp,
        Datagram,
    }

    /// <inheritdoc/>
    public override Socket? Socket
    {
        get
        {
            Socket? socket = Inner?.Socket;
            _shared ??= socket?.SafeHandle;
            return socket;
        }
    }

    /// <inheritdoc/>
    public override bool IsClosed => _descriptor < 0 || _shared is { IsClosed: true };

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint =>
        _inner is not null ? _inner.LocalEndPoint : IsClosed ? null : _localEndPoint ??= AskName();

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint =>
        _inner?.RemoteEndPoint ?? (IsClosed ? null : _peer);

    /// <summary>Whether other handles are on the same listening socket.</summary>
    public bool IsShared { get; private set; }

    // Null if the handle was closed without one.
    private SocketHandle? Inner => _inner ?? MakeInner();

    /// <inheritdoc/>
    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value) =>
        Inner?.SetOption(level, name, value) ?? SocketError.OperationAborted;

    /// <inheritdoc/>
    public override SocketError SetOption(int level, int name, ReadOnlySpan<byte> value) =>
        Inner?.SetOption(level, name, value) ?? SocketError.OperationAborted;

    /// <inheritdoc/>
    public override SocketError Bind(EndPoint localEndPoint) =>
        Inner?.Bind(localEndPoint) ?? SocketError.OperationAborted;

    /// <inheritdoc/>
    public override SocketError Listen(int backlog) => Inner?.Listen(backlog) ?? SocketError.OperationAborted;

    /// <inheritdoc/>
    public override Handle? ShareListener()
    {
        if (_kind == SocketKind.Datagram || !TryHold(out int descriptor))
        {
            return null;
        }

        int duplicate = Native.FileControl(descriptor, Native.DuplicateCloseOnExec, 0);
        int error = Marshal.GetLastPInvokeError();
        Release();
        if (duplicate < 0)
        {
            throw new IOException($"fcntl failed: {Marshal.GetPInvokeErrorMessage(error)}.");
        }

        IsShared = true;
        return new EpollHandle(this, duplicate);
    }

    /// <inheritdoc/>
    public override SocketError Connect(EndPoint remoteEndPoint)
    {
        _progress.BeginConnect();
        return Inner?.Connect(remoteEndPoint) ?? SocketError.OperationAborted;
    }

    /// <inheritdoc/>
    public override SocketError Shutdown(SocketShutdown how)
    {
        SocketError error = _inner?.Shutdown(how) ?? ShutdownDescriptor(how);
        if (error == SocketError.NotConnected && (_progress.HasEndedOutput || _peer is not null))
        {
            // It was connected: a reset has left nothing to shut down.
            return SocketError.Success;
        }

        if (error == SocketError.Success && how != SocketShutdown.Receive)
        {
            _progress.EndOutput();
        }

        return error;
    }

    /// <inheritdoc/>
    public override SocketError TakeError() => _inner?.TakeError() ?? TakeDescriptorError();

    /// <inheritdoc/>
    public override void Close()
    {
        if (_inner is not null)
        {
            _descriptor = -1;
            _inner.Close();
        }
        else
        {
            CloseDescriptor();
            NeedNoFinalizer();
        }
    }

    /// <inheritdoc/>
    public override void Abort()
    {
        SetLinger(isOn: true);
        Close();
    }

    /// <inheritdoc/>
    public override string ToString() => _inner?.ToString() ?? base.ToString();

    /// <summary>The descriptor, which stays open until <see cref="Release"/>.</summary>
    /// <returns>False if it is closed.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryHold(out int descriptor)
    {
        descriptor = _descriptor;
        return descriptor >= 0 && (_shared is null || TryHoldShared());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Release()
    {
        _shared?.DangerousRelease();
        GC.KeepAlive(this);
    }

    private bool TryHoldShared()
    {
        bool isHeld = false;
        try
        {
            _shared!.DangerousAddRef(ref isHeld);
        }
        catch (ObjectDisposedException)
        {
            // The user has closed it.
        }

        return isHeld;
    }

    private SocketHandle? MakeInner()
    {
        if (_descriptor < 0)
        {
            return null;
        }

        var owner = new SafeSocketHandle(_descriptor, ownsHandle: true);
        try
        {
            _inner = new SocketHandle(new Socket(owner));
        }
        catch
        {
            owner.SetHandleAsInvalid();
            throw;
        }

        // For messages after the socket is closed.
        _ = _inner.RemoteEndPoint;
        NeedNoFinalizer();
        return _inner;
    }

    [SuppressMessage("Usage", "CA1816", Justification = "The descriptor is closed, or has another owner.")]
    private void NeedNoFinalizer() => GC.SuppressFinalize(this);

    private void CloseDescriptor()
    {
        int descriptor = _descriptor;
        _descriptor = -1;
        if (descriptor >= 0)
        {
            // It is closed even if a signal interrupts the call (close(2)).
            _ = Native.Close(descriptor);
        }
    }

    private SocketError ShutdownDescriptor(SocketShutdown how)
    {
        if (!TryHold(out int descriptor))
        {
            return SocketError.OperationAborted;
        }

        SocketError error = Native.Shutdown(descriptor, (int)how) < 0 ? Native.LastError() : SocketError.Success;
        Release();
        return error;
    }

    private unsafe SocketError TakeDescriptorError()
    {
        int number = 0;
        int size = sizeof(int);
        if (!TryHold(out int descriptor))
        {
            return SocketError.OperationAborted;
        }

        int result = Native.GetOption(descriptor, Native.SocketLevel, Native.PendingError, (byte*)&number, &size);
        SocketError error = result < 0 ? Native.LastError()
            : number == 0 ? SocketError.Success : Native.ToSocketError(number);
        Release();

        // An error that the system notes while the connection goes on is a passing one (RFC 1122, 4.2.3.9).
        bool isAlive = error != SocketError.Success && TryGetInfo(out TcpInfo info) && info.State != TcpInfo.Closed;
        return isAlive ? SocketError.Success : error;
    }

    private unsafe void SetLinger(bool isOn)
    {
        if (TryHold(out int descriptor))
        {
            // struct linger: on or off, and zero seconds. Closing then resets.
            int* linger = stackalloc int[] { isOn ? 1 : 0, 0 };
            _ = Native.SetOption(descriptor, Native.SocketLevel, Native.Linger, (byte*)linger, 2 * sizeof(int));
            Release();
        }
    }

    private unsafe EndPoint? AskName()
    {
        byte* address = stackalloc byte[NativeAddress.MaxSize];
        int size = NativeAddress.MaxSize;
        if (!TryHold(out int descriptor))
        {
            return null;
        }

        int result = Native.GetName(descriptor, address, &size);
        Release();
        return result < 0 ? null : NativeAddress.Parse(new ReadOnlySpan<byte>(address, size));
    }
}
