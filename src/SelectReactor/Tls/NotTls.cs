using SelectReactor.Buffers;

namespace SelectReactor.Tls;

/// <summary>Recognizes peers that do not speak TLS by their first byte: otherwise a handshake would wait for more, or
/// fail for a reason that tells nothing.</summary>
internal static class NotTls
{
    // The types of a record (RFC 8446, 5.1).
    private const byte Alert = 21;
    private const byte Handshake = 22;

    /// <summary>What is wrong with the first bytes of a peer. Null if they can be TLS.</summary>
    public static string? Explain(ReadOnlySpan<byte> first, bool isServer)
    {
        // A server may answer with an alert.
        if (first[0] == Handshake || (first[0] == Alert && !isServer))
        {
            return null;
        }

        string hint = FirstBytes.AreHttp(first) ? ": that is HTTP"
            : isServer && FirstBytes.AreProxyHeader(first)
                ? $": that is a PROXY header: set {nameof(ListenerOptions)}.{nameof(ListenerOptions.ProxyProtocol)}"
            : "";
        string what = isServer ? "did not begin with a TLS handshake" : "answered not with TLS";
        return $"the peer {what} but with the bytes {FirstBytes.Show(first)}{hint}.";
    }
}
