using System.Net;

namespace SelectReactor;

/// <summary>What a trusted proxy has told about the client of a connection. The connection's end points are the
/// client's; here are those of the socket, too. Get it by <see cref="Connection.GetFeature{T}"/>; null if the
/// connection began without a PROXY header.</summary>
public interface IProxyProtocolFeature
{
    /// <summary>The header: its version, its command, and facts about the client.</summary>
    ProxyHeader Header { get; }

    /// <summary>The proxy's address, from which the connection comes.</summary>
    EndPoint? ProxyEndPoint { get; }

    /// <summary>The address of this machine that the proxy connected to.</summary>
    EndPoint? ListenerEndPoint { get; }
}
