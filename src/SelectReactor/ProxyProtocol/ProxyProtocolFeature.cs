using System.Net;

namespace SelectReactor.ProxyProtocol;

/// <inheritdoc cref="IProxyProtocolFeature"/>
internal sealed class ProxyProtocolFeature(ProxyHeader header, EndPoint? proxyEndPoint, EndPoint? listenerEndPoint)
    : IProxyProtocolFeature
{
    public ProxyHeader Header => header;

    public EndPoint? ProxyEndPoint => proxyEndPoint;

    public EndPoint? ListenerEndPoint => listenerEndPoint;
}
