using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>
/// One non-blocking connect(2) to one address. It tells the outcome once, possibly before <see cref="Begin"/> has returned;
/// after <see cref="Abort"/> never.
/// </summary>
internal sealed class ConnectAttempt(
    Reactor reactor, EndPoint remoteEndPoint, string description, ConnectOptions options, Action<ConnectAttempt, Exception?> concluded)
    : IEventHandler
{
    private static readonly TimeSpan _retryInterval = TimeSpan.FromMilliseconds(20);
    private Handle? _handle;
    private SelectionKey? _key;
    private ReactorTimer? _retry;

    public void Begin()
    {
        try
        {
            _handle = reactor.HandleFactory.CreateStream(remoteEndPoint.AddressFamily);
            options.Connection.ApplyTo(_handle, remoteEndPoint.AddressFamily);
            if (options.LocalEndPoint is { } local)
            {
                SocketFailure.ThrowOnError(_handle.Bind(local), $"{description}: can't bind {local}");
            }

            Connect();
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    public void OnReady(SelectionKey key) => Conclude(_handle!.TakeError());

    /// <summary>The connected handle, which is the caller's from now on.</summary>
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

    private void Connect()
    {
        SocketError error = _handle!.Connect(remoteEndPoint);
        if (error is not (SocketError.WouldBlock or SocketError.InProgress))
        {
            Conclude(error);
        }
        else if (remoteEndPoint is UnixDomainSocketEndPoint)
        {
            // Nothing is under way: the listener's backlog is full (unix(7)), although the socket soon looks connected.
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
        // Without a listener, TCP can connect a socket to itself when the system happens to choose the same port.
        if (error == SocketError.Success
            && remoteEndPoint is IPEndPoint
            && _handle!.LocalEndPoint is { } local
            && local.Equals(_handle.RemoteEndPoint))
        {
            error = SocketError.ConnectionRefused;
        }

        if (error != SocketError.Success)
        {
            Fail(SocketFailure.Create(error, description));
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
