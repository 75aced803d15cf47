namespace SelectReactor;

/// <summary>What a <see cref="ProxyTlv"/> tells. Values from 0xE0 to 0xEF are free for applications: cast
/// them.</summary>
public enum ProxyTlvType : byte
{
    /// <summary>The protocol above the connection, as TLS negotiates it (RFC 7301), such as "h2".</summary>
    Alpn = 0x01,

    /// <summary>The host name that the client asked for, in UTF-8: the server name of TLS (RFC 6066).</summary>
    Authority = 0x02,

    /// <summary>A checksum of the header. See <see cref="ProxyHeader.HasChecksum"/>.</summary>
    Checksum = 0x03,

    /// <summary>Nothing: it fills up space. Readers leave it out.</summary>
    Padding = 0x04,

    /// <summary>What identifies the connection in the logs of all proxies: up to 128 bytes.</summary>
    UniqueId = 0x05,

    /// <summary>Facts about the client's TLS connection. See <see cref="ProxyClientTls"/>.</summary>
    Tls = 0x20,

    /// <summary>The name of the proxy's network namespace, in ASCII.</summary>
    NetworkNamespace = 0x30,
}
