using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Endpoints;

/// <summary>The source of a listening handle: an address to bind, or a socket that somebody else has bound.</summary>
internal sealed class ListeningSocket
{
    private readonly Socket? _inherited;

    public ListeningSocket(EndPoint endPoint, ListenerOptions options)
    {
        if (endPoint is DnsEndPoint name)
        {
            throw new NotSupportedException(
                $"{name.Host} is a host name: resolve it with Dns.GetHostAddressesAsync and pass an IPEndPoint.");
        }

        EndPoint = options.DualMode ? endPoint : MappedAddress.ToIPv4(endPoint);
    }

    public ListeningSocket(Socket socket)
    {
        if (socket.SocketType != SocketType.Stream)
        {
            throw new ArgumentException(
                $"A socket of type {socket.SocketType} can't listen: pass a stream socket.", nameof(socket));
        }

        _inherited = socket;
        EndPoint = socket.LocalEndPoint
            ?? throw new ArgumentException("The socket is not bound: bind it, or pass an address.", nameof(socket));
    }

    public EndPoint EndPoint { get; }

    /// <summary>Whether somebody else has bound it.</summary>
    public bool IsInherited => _inherited is not null;

    /// <summary>Opens the handle, which listens then.</summary>
    /// <param name="reactor">The reactor whose handle it is.</param>
    /// <param name="options">How to listen.</param>
    /// <param name="admitsOthers">Whether others may bind to the same port afterwards, although it must have been free
    /// before (SO_REUSEPORT, set after bind).</param>
    public Handle Open(Reactor reactor, ListenerOptions options, bool admitsOthers = false)
    {
        string attempt = $"Can't listen on {EndPointText.Of(EndPoint)}";
        Handle handle = _inherited is null ? Create(reactor, attempt) : TakeOver(reactor, _inherited);
        try
        {
            // Accepted sockets inherit these options from the listener, at no cost for each.
            options.Connection.ApplyTo(handle, EndPoint.AddressFamily);
            if (_inherited is null)
            {
                Bind(reactor, handle, options, attempt);
            }

            if (admitsOthers)
            {
                ReusePort(handle, attempt);
            }

            SocketFailure.ThrowOnError(handle.Listen(options.Backlog), attempt, EndPoint, SocketStep.Listen);
            return handle;
        }
        catch
        {
            handle.Close();
            throw;
        }
    }

    private Handle Create(Reactor reactor, string attempt)
    {
        try
        {
            return reactor.HandleFactory.CreateListener(EndPoint.AddressFamily);
        }
        catch (SocketException exception)
        {
            throw SocketFailure.Create(exception.SocketErrorCode, attempt, EndPoint, SocketStep.Listen);
        }
    }

    private static Handle TakeOver(Reactor reactor, Socket socket)
    {
        OwnedSockets.Take(socket);
        return reactor.HandleFactory.Adopt(socket);
    }

    private void Bind(Reactor reactor, Handle handle, ListenerOptions options, string attempt)
    {
        if (options.ReusePort)
        {
            ReusePort(handle, attempt);
        }

        if (options.DualMode && EndPoint.AddressFamily == AddressFamily.InterNetworkV6)
        {
            SocketFailure.ThrowOnError(
                handle.SetOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, 0),
                $"{attempt}: DualMode",
                EndPoint,
                SocketStep.Listen);
        }

        SocketError error = handle.Bind(EndPoint);
        if (error == SocketError.AddressAlreadyInUse
            && UnixSocketFile.TryRemoveAbandoned(EndPoint, reactor.HandleFactory.CreateStream))
        {
            error = handle.Bind(EndPoint);
        }

        SocketFailure.ThrowOnError(error, attempt, EndPoint, SocketStep.Listen);
    }

    // On Unix the runtime also sets SO_REUSEPORT with this option. On Windows it would take the port from its owner.
    private void ReusePort(Handle handle, string attempt)
    {
        SocketError unset = OperatingSystem.IsWindows()
            ? SocketError.OperationNotSupported
            : handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1);
        SocketFailure.ThrowOnError(unset, $"{attempt}: ReusePort", EndPoint, SocketStep.Listen);
    }
}
