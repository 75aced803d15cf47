using System.Net.Security;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>TLS for an outgoing connection (<see cref="ConnectOptions.Tls"/>). A setter throws an
/// <see cref="ArgumentException"/> that names the option if a value is not allowed.</summary>
public sealed class TlsClientOptions
{
    /// <summary>The framework's options: application protocols, client certificates, versions, checks. Callbacks run
    /// on the thread pool and may block. Unless <c>TargetHost</c> is set, the name that the server's certificate must
    /// have is the host name or the address that the connection goes to. <c>AllowRenegotiation</c> is taken for false.
    /// Unless it has a <c>CertificateChainPolicy</c>, no missing certificates are downloaded when the server's
    /// certificate is checked. Not null.</summary>
    public SslClientAuthenticationOptions Authentication
    {
        get;
        set => field = OptionValue.NotNull(this, value);
    } = new();

    /// <summary>The time limit for the handshake. <see cref="ConnectOptions.Timeout"/> covers it, too. Above zero, or
    /// <see cref="Timeout.InfiniteTimeSpan"/>. Default: 10 seconds.</summary>
    public TimeSpan HandshakeTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(10);

    internal TlsClientOptions Copy()
    {
        var copy = (TlsClientOptions)MemberwiseClone();
        copy.Authentication = Tls.Authentication.Copy(Authentication);
        return copy;
    }
}
