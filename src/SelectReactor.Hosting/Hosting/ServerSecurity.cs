using System.Net;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Hosting;

/// <summary>What stands in the configuration of a server about TLS and proxies, for its listener.</summary>
internal static class ServerSecurity
{
    private static readonly TimeSpan _reloadInterval = TimeSpan.FromMinutes(1);

    /// <summary>Sets the certificate and the trusted proxies of a listener.</summary>
    /// <param name="options">What stands in the configuration.</param>
    /// <param name="listener">Where it is set.</param>
    /// <param name="logger">For the certificate, which is read again.</param>
    /// <returns>The certificate, for the caller to dispose of. Null if the server has none of its own.</returns>
    /// <exception cref="InvalidOperationException">There are two certificates, or the files are missing or
    /// broken.</exception>
    public static CertificateSource? Apply(ServerOptions options, ListenerOptions listener, ILogger logger)
    {
        if (options.TrustedProxies.Count > 0)
        {
            listener.ProxyProtocol ??= new ProxyProtocolOptions();
            listener.ProxyProtocol.TrustedNetworks =
            [
                .. listener.ProxyProtocol.TrustedNetworks,
                .. options.TrustedProxies.Select(static text => TryParseNetwork(text)!.Value),
            ];
        }

        if (options.Certificate is not { Path: { } path } files)
        {
            return null;
        }

        listener.Tls ??= new TlsServerOptions();
        if (listener.Tls.Certificate is not null)
        {
            throw new InvalidOperationException(
                "It has two certificates: set ServerOptions.Certificate, or Certificate of Listener.Tls.");
        }

        try
        {
            listener.Tls.Certificate = CertificateSource.FromPemFiles(path, files.KeyPath, _reloadInterval, logger);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            string key = files.KeyPath is null ? "" : $", KeyPath \"{files.KeyPath}\"";
            throw new InvalidOperationException(
                $"ServerOptions.Certificate can't be used (Path \"{path}\"{key}): {exception.Message}", exception);
        }

        return listener.Tls.Certificate;
    }

    /// <summary>A network, such as 10.1.0.0/16, or one address.</summary>
    /// <returns>Null if the text is neither.</returns>
    public static IPNetwork? TryParseNetwork(string text) => IPNetwork.TryParse(text, out IPNetwork network)
        ? network
        : IPAddress.TryParse(text, out IPAddress? address)
        ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : null;
}
