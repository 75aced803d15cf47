using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>What a handler throws reaches the test that caused it, and the connection has closed as it does in
/// production.</summary>
public sealed class TestConnectionFaultTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private static readonly Exception _error = new InvalidDataException("a bug");

    [Test]
    public void OnConnected_ThrowsFromTheConstructor()
    {
        var script = new Script { Connected = Throw };

        Assert.That(() => new TestConnection(script), Throws.Exception.SameAs(_error));
        Assert.That(script.Events, Is.EqualTo(["connected", "closed HandlerFault"]));
    }

    [Test]
    public void OnReadable_ThrowsFromReceive() =>
        VerifyThrows(new Script { Readable = Throw }, static connection => connection.Receive("x"u8));

    [Test]
    public void OnInputEnded_ThrowsFromEndInput() =>
        VerifyThrows(new Script { InputEnded = Throw }, static connection => connection.EndInput());

    [Test]
    public void OnWritable_ThrowsFromPeerReads()
    {
        var script = new Script
        {
            Readable = static connection => connection.TryWrite(new byte[300_000]),
            Writable = Throw,
        };
        VerifyThrows(script, static connection =>
        {
            connection.PeerReads = false;
            connection.Receive("x"u8);
            connection.PeerReads = true;
        });
    }

    [Test]
    public void OnClosed_ThrowsFromWhatClosedIt()
    {
        using var connection = new TestConnection(new Script { Closed = () => throw _error });

        Assert.That(connection.Reset, Throws.Exception.SameAs(_error));
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.PeerReset), "the first reason stays");
    }

    [Test]
    public void OnClosed_ThatThrowsWhenDisposed_DoesNotHideWhyTheTestFailed()
    {
        var connection = new TestConnection(new Script { Closed = () => throw _error });

        Assert.That(connection.Dispose, Throws.Nothing);
    }

    [Test]
    public void AsyncHandler_ThrowsFromReceive()
    {
        using var connection = new TestConnection(new AsyncFailure());

        Assert.That(() => connection.Receive("x"u8), Throws.InstanceOf<InvalidDataException>());
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.HandlerFault));
    }

    [Test]
    public void Timer_ThrowsFromAdvance_AndTheConnectionLives()
    {
        using var connection = new TestConnection(new Script
        {
            Connected = static connection => connection.Reactor.Schedule(_second, () => throw _error),
        });

        Assert.That(() => connection.Advance(_second), Throws.Exception.SameAs(_error));
        Assert.That(connection.IsClosed, Is.False);
        Assert.That(() => connection.Advance(_second), Throws.Nothing);
    }

    [Test]
    public void Post_ThrowsFromReceive()
    {
        using var connection = new TestConnection(new Script
        {
            Readable = static connection => connection.Reactor.Post(() => throw _error),
        });

        Assert.That(() => connection.Receive("x"u8), Throws.Exception.SameAs(_error));
    }

    [Test]
    public void SeveralFaults_ThrowTheFirst_AndOnlyOnce()
    {
        var script = new Script { Readable = Throw, Closed = static () => throw new InvalidOperationException() };
        using var connection = new TestConnection(script);

        Assert.That(() => connection.Receive("x"u8), Throws.Exception.SameAs(_error));
        Assert.That(connection.Run, Throws.Nothing);
    }

    [Test]
    public void Assertion_InAHandler_FailsTheTest()
    {
        using var connection = new TestConnection(new Script
        {
            Readable = static connection => throw new AssertionException("expected something else"),
        });

        Assert.That(() => connection.Receive("x"u8), Throws.InstanceOf<AssertionException>());
    }

    [Test]
    public void UseInsideACallback_IsRefused()
    {
        TestConnection connection = null!;
        using var made = connection = new TestConnection(new Script { Readable = _ => connection.Receive("y"u8) });

        Assert.That(() => connection.Receive("x"u8), Throws.InvalidOperationException);
    }

    [Test]
    public void HandlerThatNeverStops_IsFound()
    {
        using var connection = new TestConnection(new Script { Readable = Spin });

        Assert.That(() => connection.Receive("x"u8), Throws.InstanceOf<SimulationException>());

        static void Spin(Connection connection) => connection.Reactor.Post(() => Spin(connection));
    }

    private static void Throw(Connection connection) => throw _error;

    private static void VerifyThrows(Script script, Action<TestConnection> action)
    {
        using var connection = new TestConnection(script);

        Assert.That(() => action(connection), Throws.Exception.SameAs(_error));
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.HandlerFault));
        Assert.That(connection.CloseReason!.Value.Error, Is.SameAs(_error));
        Assert.That(script.Events[^1], Is.EqualTo("closed HandlerFault"));
        Assert.That(connection.Run, Throws.Nothing);
    }

    private sealed class AsyncFailure : AsyncConnectionHandler
    {
        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            await connection.Input.ReadAsync();
            throw _error;
        }
    }
}
