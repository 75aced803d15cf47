using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace SelectReactor.Tls;

/// <summary>The engine of the framework: an <see cref="SslStream"/>. Its reads stay open while a record is not
/// complete; nothing of it waits otherwise.</summary>
internal sealed class SslStreamEngine : ITlsEngine
{
    private readonly CiphertextStream _stream = new();
    private readonly SslStream _ssl;
    private readonly Func<SslStream, CancellationToken, Task> _handshake;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _fill;
    private bool _isFilling;

    public SslStreamEngine(Func<SslStream, CancellationToken, Task> handshake)
    {
        _handshake = handshake;
        _ssl = new SslStream(_stream, leaveInnerStreamOpen: true);
    }

    public SslProtocols Protocol => _ssl.SslProtocol;

    public TlsCipherSuite CipherSuite => _ssl.NegotiatedCipherSuite;

    public SslApplicationProtocol ApplicationProtocol => _ssl.NegotiatedApplicationProtocol;

    public string ServerName => _ssl.TargetHostName;

    public X509Certificate2? PeerCertificate => _ssl.RemoteCertificate as X509Certificate2;

    public ICiphertextPort Port
    {
        get => _stream.Port;
        set => _stream.Port = value;
    }

    public Task HandshakeAsync(CancellationToken token) => _handshake(_ssl, token);

    public void Resume()
    {
        using (Ambient.Suppress())
        {
            _stream.TryResume();
        }
    }

    public void Cancel()
    {
        if (_stream.IsWaiting)
        {
            using (Ambient.Suppress())
            {
                _stream.Cancel(new OperationCanceledException());
            }
        }
    }

    public bool TryFill()
    {
        using (Ambient.Suppress())
        {
            if (!_isFilling)
            {
                _stream.BytesRead = 0;
                _isFilling = true;
                Keep(_ssl.ReadAsync(Memory<byte>.Empty));
            }
            else if (_stream.IsWaiting && !_stream.TryResume())
            {
                return false;
            }

            if (!_fill.IsCompleted)
            {
                // What came was no data, such as a session ticket. The next data may be long in coming.
                if (_stream is { IsWaiting: true, BytesRead: > 0 } && Port.IsBetweenRecords)
                {
                    AbandonFill();
                }

                return false;
            }

            _isFilling = false;
            _fill.GetResult();
            return true;
        }
    }

    public int Read(Span<byte> buffer) => _ssl.Read(buffer);

    public void Write(ReadOnlySpan<byte> bytes) => _ssl.Write(bytes);

    public void WriteCloseNotify()
    {
        using (Ambient.Suppress())
        {
            _ssl.ShutdownAsync().GetAwaiter().GetResult();
        }
    }

    public void Dispose()
    {
        AbandonFill();
        _ssl.Dispose();
    }

    private void Keep(ValueTask<int> fill) => _fill = fill.ConfigureAwait(false).GetAwaiter();

    // The stream holds its read buffer as long as a read is open that has begun to receive.
    private void AbandonFill()
    {
        if (_isFilling && _stream.IsWaiting)
        {
            using (Ambient.Suppress())
            {
                _stream.Cancel(new IOException("There is nothing to read."));
            }
        }

        if (_isFilling && _fill.IsCompleted)
        {
            _isFilling = false;
            try
            {
                _fill.GetResult();
            }
            catch (Exception)
            {
                // The exception that has ended it.
                return;
            }
        }
    }

    /// <summary>No synchronization context: the stream's own awaits would otherwise continue on the pool.</summary>
    private readonly ref struct Ambient
    {
        private readonly SynchronizationContext? _outer;

        private Ambient(SynchronizationContext? outer) => _outer = outer;

        public static Ambient Suppress()
        {
            SynchronizationContext? outer = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(null);
            return new Ambient(outer);
        }

        public void Dispose() => SynchronizationContext.SetSynchronizationContext(_outer);
    }
}
