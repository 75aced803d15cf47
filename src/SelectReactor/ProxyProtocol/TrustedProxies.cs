using System.Net;
using System.Net.Sockets;

namespace SelectReactor.ProxyProtocol;

/// <summary>Tells whose headers are believed.</summary>
internal sealed class TrustedProxies
{
    private readonly IReadOnlyList<IPNetwork> _networks;
    private readonly bool _trustsUnixClients;

    /// <exception cref="ArgumentException">Nobody is trusted.</exception>
    public TrustedProxies(ProxyProtocolOptions options)
    {
        _networks = options.TrustedNetworks;
        _trustsUnixClients = options.TrustsUnixClients;
        if (_networks.Count == 0 && !_trustsUnixClients)
        {
            throw new ArgumentException(
                $"{nameof(ProxyProtocolOptions)}.{nameof(ProxyProtocolOptions.TrustedNetworks)} is empty: name the "
                    + "networks of your proxies, such as 10.1.0.0/16, since whoever sends a header can claim any "
                    + "address.",
                nameof(options));
        }
    }

    /// <summary>Whether a client is a trusted proxy.</summary>
    /// <param name="client">The address of its socket.</param>
    public bool Contains(EndPoint? client) => client switch
    {
        UnixDomainSocketEndPoint => _trustsUnixClients,
        IPEndPoint { Address: { IsIPv4MappedToIPv6: true } mapped } =>
            Contains(mapped) || Contains(mapped.MapToIPv4()),
        IPEndPoint { Address: var address } => Contains(address),
        _ => false,
    };

    private bool Contains(IPAddress address)
    {
        // By index: an enumerator of the interface would be allocated for each client.
        for (int i = 0; i < _networks.Count; i++)
        {
            if (_networks[i].Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
