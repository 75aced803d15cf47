using System.Net;
using System.Net.Sockets;

namespace SelectReactor;

/// <summary>Turns host names into addresses. Replace it in <see cref="ReactorOptions"/> to cache, to ask elsewhere, or to
/// run on another kind of network.</summary>
public interface INameResolver
{
    /// <summary>The addresses of a host in one family, best first; an empty array or an exception when there are none.
    /// Called on the reactor's thread, which it must not hold up: a resolver that blocks or has much to compute goes to
    /// another thread first (<see cref="Task.Run(Action)"/>). The task may complete on any thread.</summary>
    Task<IPAddress[]> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken);
}
