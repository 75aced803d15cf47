using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using SelectReactor.Dispatch;
using SelectReactor.Tls;

namespace SelectReactor;

/// <summary>
/// The certificate of a TLS server, which may change while listeners use it: each handshake takes the current one, and
/// connections that are open keep theirs. One source can serve many listeners and reactors. Any thread may use it.
/// </summary>
public sealed class CertificateSource : IDisposable
{
    private readonly PemFiles? _files;
    private readonly ITimer? _timer;
    private readonly ILogger _logger;
    private readonly Lock _reloading = new();
    private volatile Entry _current;
    private string? _lastFault;

    private CertificateSource(Entry current, PemFiles? files, TimeSpan interval, ILogger? logger, TimeProvider time)
    {
        _current = current;
        _files = files;
        _logger = new GuardedLogger(logger ?? StandardErrorLogger.Instance);
        if (files is not null && interval != Timeout.InfiniteTimeSpan)
        {
            _timer = time.CreateTimer(static self => ((CertificateSource)self!).Reload(), this, interval, interval);
        }
    }

    internal SslStreamCertificateContext Context => _current.Context;

    /// <summary>A certificate that stays until <see cref="Use"/> replaces it.</summary>
    /// <param name="certificate">The certificate with its private key.</param>
    /// <param name="intermediates">The certificates between it and the root, which are sent along. Null if there are
    /// none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    /// <exception cref="ArgumentException">The certificate has no private key.</exception>
    public static CertificateSource FromCertificate(
        X509Certificate2 certificate, X509Certificate2Collection? intermediates = null) =>
        new(new Entry(certificate, intermediates), null, Timeout.InfiniteTimeSpan, null, TimeProvider.System);

    /// <summary>A certificate and its key from one file, as the other overload.</summary>
    /// <param name="file">The certificate, the intermediate ones and the private key in PEM.</param>
    /// <exception cref="ArgumentNullException"><paramref name="file"/> is null.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="ArgumentException"><paramref name="file"/> is empty.</exception>
    /// <exception cref="CryptographicException">There is no certificate or no key in the file, one is broken, or they
    /// do not belong together. The message names the file.</exception>
    public static CertificateSource FromPemFiles(string file) => FromPemFiles(file, keyFile: null);

    /// <summary>A certificate from files, which are read again every minute: if their content has changed, the new
    /// certificate is used. If that is broken, for example because only one of the files was written yet, the old one
    /// stays, and a warning is logged, once until something else is wrong.</summary>
    /// <param name="certificateFile">The certificate in PEM (RFC 7468), and behind it the intermediate ones.</param>
    /// <param name="keyFile">The private key in PEM, not encrypted. Null if it is in the first file, too.</param>
    /// <exception cref="ArgumentNullException"><paramref name="certificateFile"/> is null.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    /// <exception cref="CryptographicException">There is no certificate or no key in the files, one is broken, or they
    /// do not belong together. The message names the files.</exception>
    public static CertificateSource FromPemFiles(string certificateFile, string? keyFile) =>
        FromPemFiles(certificateFile, keyFile, TimeSpan.FromMinutes(1), logger: null, timeProvider: null);

    /// <summary>As the other overload, with a say in when the files are read again.</summary>
    /// <param name="certificateFile">The certificate in PEM (RFC 7468), and behind it the intermediate ones.</param>
    /// <param name="keyFile">The private key in PEM, not encrypted. Null if it is in the first file, too.</param>
    /// <param name="interval">The time between two looks at the files. Above zero, or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: then only <see cref="Reload"/> looks.</param>
    /// <param name="logger">For the warnings. Default (null): standard error.</param>
    /// <param name="timeProvider">The clock of the interval. Default (null): that of the system.</param>
    /// <exception cref="ArgumentNullException"><paramref name="certificateFile"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="interval"/> is not allowed.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    /// <exception cref="CryptographicException">There is no certificate or no key in the files, one is broken, or they
    /// do not belong together. The message names the files.</exception>
    public static CertificateSource FromPemFiles(
        string certificateFile,
        string? keyFile,
        TimeSpan interval,
        ILogger? logger = null,
        TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(certificateFile);
        if (interval != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);
        }

        var files = new PemFiles(certificateFile, keyFile);
        files.TryRead(out X509Certificate2? certificate, out X509Certificate2Collection? intermediates);
        return new CertificateSource(
            new Entry(certificate!, intermediates), files, interval, logger, timeProvider ?? TimeProvider.System);
    }

    /// <summary>The certificate that the next handshake uses.</summary>
    public X509Certificate2 GetCurrent() => _current.Certificate;

    /// <summary>Uses another certificate from the next handshake on. If the source has files, it stays until they
    /// change.</summary>
    /// <param name="certificate">The certificate with its private key.</param>
    /// <param name="intermediates">The certificates between it and the root. Null if there are none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    /// <exception cref="ArgumentException">The certificate has no private key.</exception>
    public void Use(X509Certificate2 certificate, X509Certificate2Collection? intermediates = null) =>
        _current = new Entry(certificate, intermediates);

    /// <summary>Looks at the files now. It never throws: if they are broken, the old certificate stays, and a warning
    /// is logged, unless it would repeat the last one.</summary>
    /// <returns>Whether another certificate is used from now on.</returns>
    public bool Reload()
    {
        lock (_reloading)
        {
            try
            {
                if (_files?.TryRead(out X509Certificate2? certificate, out X509Certificate2Collection? rest) is true)
                {
                    _current = new Entry(certificate!, rest);
                    _lastFault = null;
                    return true;
                }

                _lastFault = null;
            }
            catch (Exception exception)
            {
                string fault = exception.Message.ReplaceLineEndings(" ");
                if (fault != _lastFault)
                {
                    _lastFault = fault;
                    ReactorLog.CertificateReloadFault(_logger, _files!.Name, fault);
                }
            }

            return false;
        }
    }

    /// <summary>Stops looking at the files. The current certificate can still be used.</summary>
    public void Dispose() => _timer?.Dispose();

    internal static CertificateSource FromCertificate(X509Certificate certificate) =>
        FromCertificate(certificate as X509Certificate2 ?? new X509Certificate2(certificate));

    /// <summary>A certificate, and what the framework makes of it once: the chain to send, and the sessions that can
    /// be resumed.</summary>
    private sealed class Entry
    {
        public Entry(X509Certificate2 certificate, X509Certificate2Collection? intermediates)
        {
            ArgumentNullException.ThrowIfNull(certificate);
            if (!certificate.HasPrivateKey)
            {
                throw new ArgumentException(
                    $"The certificate {certificate.Subject} has no private key: a server needs it.",
                    nameof(certificate));
            }

            Certificate = certificate;

            // Offline: no certificate of the chain is downloaded.
            Context = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
        }

        public X509Certificate2 Certificate { get; }

        public SslStreamCertificateContext Context { get; }
    }
}
