using System.Net.Security;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>TLS for an outgoing connection (<see cref="ConnectOptions.Tls"/>). A setter throws an
/// <see cref="ArgumentException"/> that names the option if a value is not allowed.</summary>
public sealed class TlsClientOptions
{
    /// <summary>Sets the framework's options: application protocols, client certificates, versions, checks. It is
    /// called by <c>ConnectAsync</c>, once, with options that are new. Their callbacks run on the thread pool and may
    /// block. Unless it sets <c>TargetHost</c>, the name that the server's certificate must have is the host name or
    /// the address that the connection goes to. <c>AllowRenegotiation</c> is taken for false, and
    /// <c>AllowTlsResume</c> if the reactor has a clock of its own. Unless it sets a <c>CertificateChainPolicy</c>, no
    /// missing certificates are downloaded when the server's certificate is checked. Default (null): the
    /// framework's defaults.</summary>
    public Action<SslClientAuthenticationOptions>? Configure { get; set; }

    /// <summary>The time limit for the handshake. <see cref="ConnectOptions.Timeout"/> covers it, too. Above zero, or
    /// <see cref="Timeout.InfiniteTimeSpan"/>. Default: 10 seconds.</summary>
    public TimeSpan HandshakeTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(10);

    /// <summary>What <see cref="Configure"/> has set.</summary>
    internal SslClientAuthenticationOptions Authentication { get; private set; } = new();

    /// <summary>A copy, without a call of <see cref="Configure"/>.</summary>
    internal TlsClientOptions Clone() => (TlsClientOptions)MemberwiseClone();

    /// <summary>A copy with the framework's options set. Throws what <see cref="Configure"/> throws.</summary>
    internal TlsClientOptions Copy()
    {
        var copy = (TlsClientOptions)MemberwiseClone();
        copy.Authentication = new SslClientAuthenticationOptions();
        Configure?.Invoke(copy.Authentication);
        return copy;
    }
}
