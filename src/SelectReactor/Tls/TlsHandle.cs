using System.Net;
using System.Net.Sockets;
using SelectReactor.Buffers;
using SelectReactor.Selection;

namespace SelectReactor.Tls;

/// <summary>
/// A TLS stream as a handle, around the handle of its transport. A plaintext byte counts as sent when the whole batch
/// of records that it left in was taken by the transport: until then the caller keeps it and offers it again, so that
/// nothing is lost unnoticed. The handle holds at most one such batch that the transport had no room for.
/// </summary>
internal sealed partial class TlsHandle : Handle, ICiphertextPort
{
    /// <summary>The most plaintext in a record (RFC 8446, section 5.1).</summary>
    private const int MaxRecordBytes = 16 * 1024;

    /// <summary>So many full records leave with one call.</summary>
    private const int MaxRecordsPerSend = 4;

    private readonly Handle _transport;
    private readonly ITlsEngine _engine;
    private readonly BufferPool _pool;

    /// <summary>Received bytes that the engine has not taken.</summary>
    private CiphertextBuffer _input;

    /// <summary>Records that the transport has not taken.</summary>
    private CiphertextBuffer _output;

    /// <summary>How much plaintext is in <see cref="_output"/>. The caller will offer it again.</summary>
    private int _queuedPlaintext;

    private RecordBoundary _records;
    private SocketError _transportError;
    private Exception? _fault;

    public TlsHandle(Handle transport, ITlsEngine engine, BufferPool pool, in HandshakeRest rest)
    {
        _transport = transport;
        _engine = engine;
        _pool = pool;
        _input = rest.Input;
        _output = rest.Output;
        _records = rest.Records;
        _records.SawHandshake = false;
        _refusesHandshake = engine.Protocol < System.Security.Authentication.SslProtocols.Tls13;
        _handshakeBytes = rest.BytesSent;
        _ciphertextSent = rest.BytesSent;
        engine.Port = this;
    }

    public override EndPoint? LocalEndPoint => _transport.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => _transport.RemoteEndPoint;

    public override Socket? Socket => _transport.Socket;

    public override bool IsClosed => _transport.IsClosed;

    internal override Handle Watched => _transport.Watched;

    // Of an input buffer that is not empty, the rest waits for the next receive.
    internal override HeldBytes Held =>
        (_hasData || !_input.IsEmpty || (_end is not null && !_isEndTold) ? HeldBytes.Input : HeldBytes.None)
        | (_output.IsEmpty || _transportError != SocketError.Success ? HeldBytes.None : HeldBytes.Output);

    internal override Exception? EndOfStreamFault => _end == SocketError.Success && _hasTransportEnded
        ? new EndOfStreamException("The peer ended the connection without the closing alert of TLS (close_notify): "
            + "its stream may have been cut short.")
        : null;

    public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value) =>
        _transport.SetOption(level, name, value);

    public override SocketError SetOption(int level, int name, ReadOnlySpan<byte> value) =>
        _transport.SetOption(level, name, value);

    public override SocketError TakeError() => _transport.TakeError();

    public override void Close()
    {
        _transport.Close();
        Release();
    }

    public override void Abort()
    {
        _transport.Abort();
        Release();
    }

    public override string ToString() => $"TLS over {_transport}";

    internal override void NoteEndPoints() => _transport.NoteEndPoints();

    internal override Exception Explain(SocketError error) =>
        error == SocketError.SocketError && _fault is { } fault ? fault : base.Explain(error);

    // Of what an engine throws, the error of the transport is the cause, if there was one.
    private SocketError NoteFault(Exception exception)
    {
        if (_transportError != SocketError.Success)
        {
            return _transportError;
        }

        bool isCut = _hasTransportEnded && !_records.IsAtEnd;
        _fault ??= isCut
            ? new EndOfStreamException("The peer ended the connection within a TLS record.", exception)
            : new IOException($"The peer broke the TLS protocol: {TlsError.Describe(exception)}", exception);
        return SocketError.SocketError;
    }

    private void Release()
    {
        _input.Release();
        _output.Release();
        _hasTransportEnded = true;
        _engine.Dispose();
    }
}
