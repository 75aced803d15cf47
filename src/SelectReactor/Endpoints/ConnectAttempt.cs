using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Endpoints;

/// <summary>
/// One non-blocking connect(2) to one address. It reports the outcome once, possibly before <see cref="Begin"/> has
/// returned, and never after <see cref="Abort"/>.
/// </summary>
internal sealed class ConnectAttempt(
    Reactor reactor,
    EndPoint remoteEndPoint,
    string description,
    ConnectOptions options,
    Action<ConnectAttempt, Exception?> concluded)
    : IEventHandler
{
    /// <summary>IPPROTO_IP and IP_BIND_ADDRESS_NO_PORT, ip(7), of Linux.</summary>
    private const int IpProtocol = 0;
    private const int BindAddressNoPort = 24;

    private static readonly byte[] _on = BitConverter.GetBytes(1);
    private static readonly TimeSpan _retryInterval = TimeSpan.FromMilliseconds(20);
    private readonly EndPoint _remoteEndPoint = MappedAddress.ToIPv4(remoteEndPoint);
    private Handle? _handle;
    private SelectionKey? _key;
    private ReactorTimer? _retry;

    public void Begin()
    {
        try
        {
            if (!TryCreateHandle(out _handle))
            {
                // Those that only linger end by then, and leave their descriptors.
                _retry = reactor.Schedule(TimeSpan.Zero, static self => ((ConnectAttempt)self!).Begin(), this);
                return;
            }

            options.Connection.ApplyTo(_handle, _remoteEndPoint.AddressFamily);
            if (options.LocalEndPoint is { } local)
            {
                Bind(_handle, MappedAddress.ToFamilyOf(_remoteEndPoint, local));
            }

            Connect();
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    public void OnReady(SelectionKey key) => Conclude(_handle!.TakeError());

    /// <summary>Reports the outcome if there is one. Call it before a time-out gives up: after a long callback the
    /// attempt may have ended without the loop having looked at it yet.</summary>
    public void Poll()
    {
        if (_handle is not null && _key is not null)
        {
            // In this order: to tell the remote address, the runtime may take the error of a failed attempt and drop
            // it.
            SocketError error = _handle.TakeError();
            if (error != SocketError.Success || _handle.RemoteEndPoint is not null)
            {
                Conclude(error);
            }
        }
    }

    /// <summary>The connected handle. The caller owns it from now on.</summary>
    public Handle TakeHandle()
    {
        Handle handle = _handle!;
        _handle = null;
        return handle;
    }

    public void Abort()
    {
        _key?.Cancel();
        _retry?.Cancel();
        _handle?.Abort();
        _handle = null;
    }

    // False if the process has no descriptor left, and will have some after this tick.
    private bool TryCreateHandle([NotNullWhen(true)] out Handle? handle)
    {
        try
        {
            handle = reactor.HandleFactory.CreateStream(_remoteEndPoint.AddressFamily);
            return true;
        }
        catch (SocketException exception) when (
            exception.SocketErrorCode == SocketError.TooManyOpenSockets && reactor.Lingering.TryFreeDescriptors())
        {
            handle = null;
            return false;
        }
        catch (SocketException exception)
        {
            throw SocketFailure.Create(
                exception.SocketErrorCode, description, _remoteEndPoint, SocketStep.Connect);
        }
    }

    private void Bind(Handle handle, EndPoint local)
    {
        if (OperatingSystem.IsLinux() && local is IPEndPoint { Port: 0 })
        {
            // Without this the port would be taken from all destinations at once, and the system would run out of
            // ports early.
            handle.SetOption(IpProtocol, BindAddressNoPort, _on);
        }

        SocketFailure.ThrowOnError(
            handle.Bind(local),
            $"{description}: can't bind {EndPointText.Of(local)}",
            local,
            SocketStep.BindBeforeConnect);
    }

    private void Connect()
    {
        SocketError error = _handle!.Connect(_remoteEndPoint);
        if (error is not (SocketError.WouldBlock or SocketError.InProgress))
        {
            Conclude(error);
        }
        else if (_remoteEndPoint is UnixDomainSocketEndPoint)
        {
            // No attempt is under way: the listener's backlog is full (unix(7)). The socket would soon look connected.
            _handle.Abort();
            _retry = reactor.Schedule(_retryInterval, static self => ((ConnectAttempt)self!).Begin(), this);
        }
        else
        {
            _key = reactor.Register(_handle, Interest.Connect, this);
        }
    }

    private void Conclude(SocketError error)
    {
        // Without a listener, TCP can connect a socket to itself if the system happens to choose the same port.
        if (error == SocketError.Success
            && _remoteEndPoint is IPEndPoint
            && _handle!.LocalEndPoint is { } local
            && local.Equals(_handle.RemoteEndPoint))
        {
            error = SocketError.ConnectionRefused;
        }

        if (error != SocketError.Success)
        {
            Fail(SocketFailure.Create(error, description, _remoteEndPoint, SocketStep.Connect));
            return;
        }

        _key?.Cancel();
        concluded(this, null);
    }

    private void Fail(Exception exception)
    {
        Abort();
        concluded(this, exception);
    }
}
