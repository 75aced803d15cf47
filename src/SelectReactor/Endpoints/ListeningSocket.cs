using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>Where a listening handle comes from: an address to bind, or a socket that somebody else has bound.</summary>
internal sealed class ListeningSocket
{
    private readonly Socket? _inherited;

    public ListeningSocket(EndPoint endPoint) => EndPoint = endPoint;

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
            // Set here, these are the accepted sockets' from the start, at no cost for each.
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
            // On Unix the runtime sets SO_REUSEPORT with it. On Windows it means something else: to take a port away.
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
        if (error == SocketError.AddressAlreadyInUse && IsAbandoned(reactor))
        {
            File.Delete(EndPoint.ToString()!);
            error = handle.Bind(EndPoint);
        }

        SocketFailure.ThrowOnError(error, attempt);
    }

    // The file of a Unix-domain socket outlives a server that was killed. Nobody answers there then.
    private bool IsAbandoned(Reactor reactor)
    {
        // Connecting is refused by an ordinary file, too. One with something in it has a length, which a socket has not. A name
        // that begins with @ stands for one outside the file system (unix(7)).
        if (EndPoint is not UnixDomainSocketEndPoint
            || EndPoint.ToString() is not { Length: > 0 } path
            || path[0] is '@' or '\0'
            || new FileInfo(path) is not { Exists: true, Length: 0 })
        {
            return false;
        }

        Handle probe = reactor.HandleFactory.CreateStream(AddressFamily.Unix);
        SocketError error = probe.Connect(EndPoint);
        probe.Close();
        return error == SocketError.ConnectionRefused;
    }
}
