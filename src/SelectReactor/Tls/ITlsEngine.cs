using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tls;

/// <summary>
/// The TLS protocol of one connection, over an <see cref="ICiphertextPort"/>. First the handshake, on any thread; then
/// the other members, on the reactor's thread. Members throw if the peer breaks the protocol or the port throws.
/// </summary>
internal interface ITlsEngine : IDisposable
{
    SslProtocols Protocol { get; }

    TlsCipherSuite CipherSuite { get; }

    SslApplicationProtocol ApplicationProtocol { get; }

    /// <summary>The name that the client asked for; empty if it did not.</summary>
    string ServerName { get; }

    X509Certificate2? PeerCertificate { get; }

    /// <summary>Where the encrypted bytes come from and go to. It may be replaced between two calls.</summary>
    ICiphertextPort Port { get; set; }

    /// <summary>Completes when both sides agree. It waits by <see cref="ICiphertextPort.Wait"/> for input, and goes on
    /// by <see cref="Resume"/>.</summary>
    Task HandshakeAsync(CancellationToken token);

    /// <summary>Goes on with the handshake; what it does next runs inside this call or on the thread pool.</summary>
    void Resume();

    /// <summary>Ends a handshake that waits: its task fails.</summary>
    void Cancel();

    /// <summary>Decrypts until there is something to read: bytes or the end.</summary>
    /// <returns>False if more input is needed first.</returns>
    bool TryFill();

    /// <summary>Takes decrypted bytes, after <see cref="TryFill"/>.</summary>
    /// <returns>Their number; 0 if the peer has ended its stream.</returns>
    int Read(Span<byte> buffer);

    /// <summary>Encrypts bytes and sends them to the port.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Sends the alert that ends the output.</summary>
    void WriteCloseNotify();
}
