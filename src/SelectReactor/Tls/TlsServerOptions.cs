using System.Net.Security;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>
/// TLS for the accepted connections of a listener (<see cref="ListenerOptions.Tls"/>). It needs a certificate: in
/// <see cref="Certificate"/>, by <see cref="CertificateSelector"/>, or by <see cref="Configure"/>. A setter
/// throws an <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class TlsServerOptions
{
    /// <summary>The certificate for each handshake. It can be replaced while the listener is open, and sessions can be
    /// resumed. Default (null): the one that <see cref="Configure"/>
    /// sets.</summary>
    public CertificateSource? Certificate { get; set; }

    /// <summary>Chooses a certificate by the host name that the client asks for (SNI, RFC 6066); the name is empty if
    /// it asks for none. If the result is null, <see cref="Certificate"/> is used. It is called on the thread pool, by
    /// several threads at the same time, and may block. Return the same object for the same name, so that sessions can
    /// be resumed. Default (null): no choice.</summary>
    public Func<string, CertificateSource?>? CertificateSelector { get; set; }

    /// <summary>Sets the framework's options: application protocols, client certificates, versions, checks. It is
    /// called by <c>Listen</c>, once, with options that are new. Their callbacks run on the thread pool and may block.
    /// <c>AllowRenegotiation</c> is taken for false, and <c>AllowTlsResume</c> if the reactor has a clock of its own.
    /// A certificate that it sets excludes <see cref="Certificate"/> and <see cref="CertificateSelector"/>.
    /// Unless it sets a <c>CertificateChainPolicy</c>, no missing certificates are downloaded when a client's
    /// certificate is checked. Default (null): the framework's defaults.</summary>
    public Action<SslServerAuthenticationOptions>? Configure { get; set; }

    /// <summary>The time limit for the handshake of a client, from its TCP connection on. A client that is late is
    /// dropped; if the loop has come to its bytes too late, it gets up to a second more. Above
    /// zero, or <see cref="Timeout.InfiniteTimeSpan"/>. Default: 10 seconds.</summary>
    public TimeSpan HandshakeTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(10);

    /// <summary>The number of handshakes of this listener that may compute, or run your callbacks, at the same time.
    /// The others wait, in order. A handshake that waits for its client is not counted; one whose callback runs is,
    /// even if it was dropped meanwhile. Default: 64.</summary>
    public int MaxConcurrentHandshakes
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 64;

    /// <summary>What <see cref="Configure"/> has set.</summary>
    internal SslServerAuthenticationOptions Authentication { get; private set; } = new();

    /// <summary>A copy, without a call of <see cref="Configure"/>.</summary>
    internal TlsServerOptions Clone() => (TlsServerOptions)MemberwiseClone();

    /// <summary>A copy with the framework's options set. Throws what <see cref="Configure"/> throws.</summary>
    internal TlsServerOptions Copy()
    {
        var copy = (TlsServerOptions)MemberwiseClone();
        copy.Authentication = new SslServerAuthenticationOptions();
        Configure?.Invoke(copy.Authentication);
        return copy;
    }

    /// <exception cref="ArgumentException">There is no certificate, or there are two.</exception>
    internal void Verify()
    {
        string? own = Certificate is not null ? nameof(Certificate)
            : CertificateSelector is not null ? nameof(CertificateSelector)
            : null;
        string? configured =
            Authentication.ServerCertificate is not null ? nameof(Authentication.ServerCertificate)
            : Authentication.ServerCertificateContext is not null ? nameof(Authentication.ServerCertificateContext)
            : Authentication.ServerCertificateSelectionCallback is not null
                ? nameof(Authentication.ServerCertificateSelectionCallback)
            : null;
        if (own is not null && configured is not null)
        {
            throw new ArgumentException(
                $"{nameof(TlsServerOptions)} has two certificates: {own}, and the {configured} that "
                + $"{nameof(Configure)} sets. Set one of them.");
        }

        if (own is null && configured is null)
        {
            throw new ArgumentException(
                $"{nameof(TlsServerOptions)} has no certificate: set {nameof(Certificate)}, for example to "
                + $"{nameof(CertificateSource)}.{nameof(CertificateSource.FromPemFiles)}(…).");
        }
    }
}
