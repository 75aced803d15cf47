using System.Net;
using System.Text;
using SelectReactor.Testing.InMemory;

namespace SelectReactor.Testing;

/// <summary>
/// A connection in memory, for unit tests of one <see cref="IConnectionHandler"/>: the test says what the peer does,
/// and looks at what the handler sent. Behind it is the connection of production, accepted by a listener, on a network
/// without delays and with a clock that the test moves. Each member that says what happens runs until there is nothing
/// left to do but wait for timers, and returns then: there is no loop to run and nothing to wait for. To be used on
/// one thread at a time, and not inside the handler's callbacks.
/// </summary>
/// <remarks>
/// What the handler throws closes its connection with <see cref="CloseKind.HandlerFault"/>, as ever. So that a test
/// does not overlook it, the member that it happened in then throws that same exception; so it is with timers and
/// posted callbacks. Of several the first is thrown.
/// <para>A handler that closes finds a peer that ends its stream as well, as long as <see cref="PeerReads"/> is
/// true.</para>
/// </remarks>
/// <example>
/// <code>
/// using var connection = new TestConnection(new PingHandler());
/// connection.Receive("PING\r\n"u8);
/// Assert.That(connection.TakeSentText(), Is.EqualTo("+PONG\r\n"));
/// </code>
/// </example>
public sealed class TestConnection : IDisposable
{
    private readonly TestBench _bench = new();
    private readonly TestPeer _peer;
    private Connection? _connection;

    /// <summary>A connection with the default options. <c>OnConnected</c> has been called when it returns.</summary>
    /// <inheritdoc cref="TestConnection(IConnectionHandler, ConnectionOptions)"/>
    public TestConnection(IConnectionHandler handler)
        : this(handler, new ConnectionOptions())
    {
    }

    /// <summary>A connection with options of its own. <c>OnConnected</c> has been called when it returns; when that
    /// throws, so does this.</summary>
    /// <param name="handler">Who is tested.</param>
    /// <param name="options">Limits and time-outs of the connection. It is an accepted one: for the handler of an
    /// outgoing one, set <see cref="ConnectionOptions.PauseReadingWhenOutputIsFull"/> to false.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public TestConnection(IConnectionHandler handler, ConnectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        SimulatedHost host = _bench.AddHost("handler");
        IPEndPoint endPoint = TestBench.Listen(host, Give, options);
        _peer = new TestPeer(_bench.AddHost("peer"), endPoint, () => Connection.State == ConnectionState.Closing);
        try
        {
            Run();
        }
        catch
        {
            _bench.Dispose();
            throw;
        }

        IConnectionHandler Give(Connection connection)
        {
            _connection = connection;
            return handler;
        }
    }

    /// <summary>What the handler is given. A test may use it as well, between two calls, as code on the reactor's
    /// thread would; call <see cref="Run"/> for it to take effect.</summary>
    public Connection Connection => _connection!;

    /// <summary>The clock of the connection and of its reactor. It moves with <see cref="Advance"/> only.</summary>
    public SimulatedClock Clock => _bench.Clock;

    /// <summary>Whether <c>OnClosed</c> has been called.</summary>
    public bool IsClosed => Connection.Completion.IsCompleted;

    /// <summary>Why the connection closed, as <c>OnClosed</c> was told; null while it is open.</summary>
    public CloseReason? CloseReason => IsClosed ? Connection.Completion.GetAwaiter().GetResult() : null;

    /// <summary>Whether the handler has ended its stream in good order, with <c>CloseOutput</c> or <c>Close</c>, and
    /// the peer has read all of it. Stays false when the connection was cut.</summary>
    public bool IsOutputEnded => _peer.SawEnd;

    /// <summary>
    /// Whether the peer reads what the handler sends. Default: true. While it does not, the systems between the two
    /// take 131,072 bytes, and what is written beyond that stays in the handler's queue. Setting it to true lets the
    /// peer read all that has come and comes, and has an effect at once.
    /// </summary>
    /// <exception cref="InvalidOperationException">Set inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">Set when the test connection is disposed.</exception>
    public bool PeerReads
    {
        get => _peer.Reads;
        set
        {
            _bench.VerifyAccess();
            _peer.Reads = value;
            Run();
        }
    }

    /// <summary>The peer sends some bytes. They come in one piece, unless the handler does not read at the moment or
    /// they are more than the connection receives at once; at least 1,024 bytes always are one piece. Once the
    /// connection is closed they are lost.</summary>
    /// <exception cref="InvalidOperationException">The peer has ended its stream, or called
    /// inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        _bench.VerifyAccess();
        if (!IsClosed && _peer.HasEnded)
        {
            throw new InvalidOperationException("The peer has ended its stream: it sends nothing more.");
        }

        _peer.Send(bytes);
        Run();
    }

    /// <summary>The peer sends some bytes in small pieces, each of which the handler has seen before the next one
    /// comes: so a test finds out whether a protocol depends on where the pieces end.</summary>
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

    /// <summary>The peer ends its stream (FIN), after all that it has sent. Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    public void EndInput()
    {
        _bench.VerifyAccess();
        _peer.EndOutput();
        Run();
    }

    /// <summary>The peer cuts the connection (RST). Idempotent.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    public void Reset()
    {
        _bench.VerifyAccess();
        _peer.Reset();
        Run();
    }

    /// <summary>Lets time pass: what is due meanwhile happens at its moment, such as timers of the reactor and the
    /// connection's time-outs.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    public void Advance(TimeSpan time)
    {
        Run();
        _bench.Advance(time);
        Run();
    }

    /// <summary>Lets happen what there is to do without the peer: after the test has used <see cref="Connection"/>, or
    /// has completed a task that the handler awaits.</summary>
    /// <exception cref="InvalidOperationException">Called inside a callback.</exception>
    /// <exception cref="ObjectDisposedException">The test connection is disposed.</exception>
    /// <exception cref="SimulationException">It does not come to an end.</exception>
    public void Run()
    {
        _bench.Run();

        // One that ended its output first and closed later.
        _peer.AnswerClose();
        _bench.Run();
    }

    /// <summary>What the handler has sent since the last call and the peer has read, and nothing of it any more the
    /// next time.</summary>
    public byte[] TakeSent() => _peer.TakeReceived();

    /// <summary>As <see cref="TakeSent"/>, read as UTF-8.</summary>
    public string TakeSentText() => Encoding.UTF8.GetString(TakeSent());

    /// <summary>Stops the reactor: a connection that is still open closes with <see cref="CloseKind.ReactorStopped"/>.
    /// What the handler throws then is not thrown here, where it would hide why the test failed. Idempotent.</summary>
    public void Dispose() => _bench.Dispose();
}
