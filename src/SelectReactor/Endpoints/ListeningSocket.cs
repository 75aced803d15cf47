using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>The source of a listening handle: an address to bind, or a socket that somebody else has bound.</summary>
internal sealed class ListeningSocket
{
    private readonly Socket? _inherited;

    public ListeningSocket(EndPoint endPoint, ListenerOptions options) =>
        EndPoint = options.DualMode ? endPoint : MappedAddress.ToIPv4(endPoint);

    public ListeningSocket(Socket inherited)
    {
        _inherited = inherited;
        EndPoint = inherited.LocalEndPoint
            ?? throw new ArgumentException("The socket is not bound: bind it, or pass an address.", nameof(inherited));
    }

    public EndPoint EndPoint { get; }

    public Handle Open(Reactor reactor, ListenerOptions options)
    {
        string attempt = $"Can't listen on {EndPoint}";
        Handle handle = _inherited is null
            ? reactor.HandleFactory.CreateListener(EndPoint.AddressFamily)
            : new SocketHandle(_inherited);
        try
        {
            // Accepted sockets inherit these options from the listener, at no cost for each.
            options.Connection.ApplyTo(handle, EndPoint.AddressFamily);
            if (_inherited is null)
            {
                Bind(reactor, handle, options, attempt);
            }

            SocketFailure.ThrowOnError(handle.Listen(options.Backlog), attempt);
            return handle;
        }
        catch
        {
            handle.Close();
            throw;
        }
    }

    private void Bind(Reactor reactor, Handle handle, ListenerOptions options, string attempt)
    {
        if (options.ReusePort)
        {
            // On Unix the runtime also sets SO_REUSEPORT with this option. On Windows it would take the port from its
            // owner.
            SocketError unset = OperatingSystem.IsWindows()
                ? SocketError.OperationNotSupported
                : handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1);
            SocketFailure.ThrowOnError(unset, $"{attempt}: ReusePort");
        }

        if (options.DualMode && EndPoint.AddressFamily == AddressFamily.InterNetworkV6)
        {
            SocketFailure.ThrowOnError(
                handle.SetOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, 0), $"{attempt}: DualMode");
        }

        SocketError error = handle.Bind(EndPoint);
        if (error == SocketError.AddressAlreadyInUse
            && UnixSocketFile.TryRemoveAbandoned(EndPoint, reactor.HandleFactory))
        {
            error = handle.Bind(EndPoint);
        }

        SocketFailure.ThrowOnError(error, attempt);
    }
}
