using SelectReactor.AspNetCore;

namespace SelectReactor;

/// <summary>The transport that <c>UseSelectReactor</c> adds to a host: a service of the host, for dumps, numbers and
/// health checks. Any thread.</summary>
public sealed class SelectReactorTransport
{
    private readonly TransportReactors _reactors;

    internal SelectReactorTransport(TransportReactors reactors)
    {
        _reactors = reactors;
    }

    /// <summary>The reactors that all listeners and clients of the transport share. They start when they are first
    /// asked for, here or by Kestrel. The transport disposes of them, at the end of the host.</summary>
    /// <exception cref="ObjectDisposedException">The host has ended.</exception>
    public ReactorGroup Reactors => _reactors.Group;
}
