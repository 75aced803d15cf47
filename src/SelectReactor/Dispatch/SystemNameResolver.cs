using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Dispatch;

/// <summary>The default: the resolver of the operating system, with its hosts file and its order of
/// addresses.</summary>
internal sealed class SystemNameResolver : INameResolver
{
    public static SystemNameResolver Instance { get; } = new();

    public Task<IPAddress[]> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken) =>
        Task.Run(() => Dns.GetHostAddressesAsync(host, family, cancellationToken), cancellationToken);
}
