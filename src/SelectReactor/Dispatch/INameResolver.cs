using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>Resolves host names to addresses. Replace it in <see cref="ReactorOptions"/> to cache answers, to ask
/// another service, or to run on another kind of network.</summary>
public interface INameResolver
{
    /// <summary>Returns the addresses of a host in one family, best first. If there are none it returns an empty array
    /// or throws. Called on the reactor's thread, which it must not block: a resolver that blocks or computes much
    /// first goes to another thread (<see cref="Task.Run(Action)"/>). The task may complete on any thread.</summary>
    Task<IPAddress[]> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken);
}
