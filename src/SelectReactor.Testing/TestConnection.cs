using System.Text;
using SelectReactor.Testing.InMemory;

namespace SelectReactor.Testing;

/// <summary>
/// A connection in memory, for unit tests of one <see cref="IConnectionHandler"/>. The test plays the peer and looks
/// at the bytes that the handler sent. It is a connection of production that a listener has accepted, on a network
/// without delays and with a clock that the test moves. Each member that makes something happen returns when only
/// timers are left, so a test runs no loop and waits for nothing. Use it on one thread at a time, and not inside the
/// handler's callbacks. For several connections to one server, see <see cref="TestServer"/>.
/// </summary>
/// <remarks>
/// An exception of the handler closes the connection with <see cref="CloseKind.HandlerFault"/>, as in production. The
/// member in which it happened then throws the same exception, so that a test does not overlook it. Exceptions of
/// timers and posted callbacks are thrown in the same way. If there are several, the first is thrown.
/// <para>When the handler closes the connection, the peer ends its stream too, as long as <see cref="PeerReads"/> is
/// true.</para>
/// </remarks>
/// <example>
/// <code>
/// using var connection = new TestConnection(new PingHandler());
/// connection.ReceiveText("PING\r\n");
/// Assert.That(connection.TakeSentText(), Is.EqualTo("+PONG\r\n"));
/// </code>
/// </example>
public sealed class TestConnection : IDisposable
{
    private readonly TestServer _server;
    private readonly TestPeer _peer;
    private readonly bool _ownsServer;

    /// <summary>A connection with the default options.</summary>
    /// <inheritdoc cref="TestConnection(IConnectionHandler, ConnectionOptions, bool)"/>
    public TestConnection(IConnectionHandler handler)
        : this(handler, new ConnectionOptions())
    {
    }

    /// <summary>A connection with options of its own.</summary>
    /// <inheritdoc cref="TestConnection(IConnectionHandler, ConnectionOptions, bool)"/>
    public TestConnection(IConnectionHandler handler, ConnectionOptions options)
        : this(handler, options, peerReads: true)
    {
    }

    /// <summary>A connection with options of its own. <c>OnConnected</c> has been called when the constructor returns;
    /// if it throws, so does the constructor.</summary>
    /// <param name="handler">The handler to test.</param>
    /// <param name="options">Limits and time-outs of the connection. It is an accepted one: to test the handler of an
    /// outgoing one, set <see cref="ConnectionOptions.PauseReadingWhenOutputIsFull"/> to false.</param>
    /// <param name="peerReads">Whether the peer reads from the beginning (<see cref="PeerReads"/>). False for a
    /// handler that sends without end as soon as it is connected.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public TestConnection(IConnectionHandler handler, ConnectionOptions options, bool peerReads)
        : this(new TestServer(handler, options), peerReads)
    {
    }

    /// <summary>A connection that is served by an asynchronous method, as by a handler that derives from
    /// <see cref="AsyncConnectionHandler"/>.</summary>
    /// <param name="serve">The method to test. The token is cancelled when the connection closes.</param>
    /// <exception cref="ArgumentNullException"><paramref name="serve"/> is null.</exception>
    public TestConnection(Func<Connection, CancellationToken, Task> serve)
        : this(new TestServer(serve), peerReads: true)
    {
    }

    internal TestConnection(TestServer server, TestPeer peer, Connection connection)
    {
        _server = server;
        _peer = peer;
        Connection = connection;
    }

    private TestConnection(TestServer server, bool peerReads)
    {
        _server = server;
        _ownsServer = true;
        try
        {
            TestConnection connected = server.Connect(peerReads);
            _peer = connected._peer;
            Connection = connected.Connection;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>The connection that the handler is given. The test may use it too, as code on the reactor's thread
    /// would. Call <see cref="Run"/> afterwards, so that it takes effect.</summary>
    public Connection Connection { get; }

    /// <summary>The clock of the connection and of its reactor. Only <see cref="Advance"/> moves it.</summary>
    public SimulatedClock Clock => _server.Clock;

    /// <summary>Whether <c>OnClosed</c> has been called.</summary>
    public bool IsClosed => Connection.Completion.IsCompleted;

    /// <summary>Why the connection closed, as <c>OnClosed</c> was told. Null while it is open.</summary>
    public CloseReason? CloseReason => IsClosed ? Connection.Completion.GetAwaiter().GetResult() : null;

    /// <summary>Whether the handler has ended its stream in good order, with <c>CloseOutput</c> or <c>Close</c>, and
    /// the peer has read all of it. Stays false if the connection was cut.</summary>
    public bool IsOutputEnded => _peer.SawEnd;

    /// <summary>
    /// Whether the peer reads what the handler sends. Default: true. While it does not, the systems of both ends take
    /// 131,072 bytes, and the rest stays in the handler's queue. When it is set to true, the peer reads at once
    /// everything that has come, and later what comes.
    /// </summary>
    /// <exception cref="InvalidOperationException">Set inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">Set when the test connection is disposed.</exception>
    /// <exception cref="SimulationException">Set to true, and the handler sends without end.</exception>
    public bool PeerReads
    {
        get => _peer.Reads;
        set
        {
            _server.VerifyAccess();
            _peer.Reads = value;
            Run();
        }
    }

    /// <summary>The peer sends bytes. At least the first 1,024 come in one piece, unless the handler does not read at
    /// the moment. If the connection is closed, they are lost.</summary>
    /// <exception cref="InvalidOperationException">The peer has ended its stream, or this was called
    /// inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    /// <exception cref="SimulationException">The handler does not come to an end, or it has sent 64 MiB that the test
    /// has not taken.</exception>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        _server.VerifyAccess();
        if (!IsClosed && _peer.HasEnded)
        {
            throw new InvalidOperationException("The peer has ended its stream: it sends nothing more.");
        }

        _peer.Send(bytes);
        Run();
    }

    /// <summary>The peer sends text in UTF-8.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <inheritdoc cref="Receive"/>
    public void ReceiveText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Receive(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>The peer sends bytes in small pieces, and the handler sees each before the next one comes. This shows
    /// whether a protocol depends on where the pieces end.</summary>
    /// <param name="bytes">All the bytes.</param>
    /// <param name="pieceSize">How many come at once; the last piece may be smaller.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="pieceSize"/> is not above zero.</exception>
    /// <inheritdoc cref="Receive"/>
    public void ReceiveInPieces(ReadOnlySpan<byte> bytes, int pieceSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pieceSize);
        for (; bytes.Length > pieceSize; bytes = bytes[pieceSize..])
        {
            Receive(bytes[..pieceSize]);
        }

        Receive(bytes);
    }

    /// <summary>The peer ends its stream (FIN), after everything that it has sent. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    public void EndInput()
    {
        _server.VerifyAccess();
        _peer.EndOutput();
        Run();
    }

    /// <summary>The peer cuts the connection (RST). Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    public void Reset()
    {
        _server.VerifyAccess();
        _peer.Reset();
        Run();
    }

    /// <summary>Lets time pass. Timers of the reactor and time-outs of the connection fire at their time.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    /// <exception cref="SimulationException">The handler does not come to an end.</exception>
    public void Advance(TimeSpan time) => _server.Advance(time);

    /// <summary>Runs until only timers are left. Call it after the test has used <see cref="Connection"/>, or has
    /// completed a task that the handler awaits.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    /// <exception cref="SimulationException">The handler does not come to an end.</exception>
    public void Run() => _server.Run();

    /// <summary>The bytes that the handler has sent and the peer has read since the last call.</summary>
    public byte[] TakeSent() => _peer.TakeReceived();

    /// <summary>The same as <see cref="TakeSent"/>, read as UTF-8.</summary>
    public string TakeSentText() => Encoding.UTF8.GetString(TakeSent());

    /// <summary>Stops the reactor: an open connection closes with <see cref="CloseKind.ReactorStopped"/>. Exceptions
    /// that the handler throws then are dropped, since they would hide why the test failed. A connection of a
    /// <see cref="TestServer"/> stays open until the server is disposed. Idempotent.</summary>
    public void Dispose()
    {
        if (_ownsServer)
        {
            _server.Dispose();
        }
    }
}
