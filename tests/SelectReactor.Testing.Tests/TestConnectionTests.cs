using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

public sealed class TestConnectionTests
{
    [Test]
    public void Constructor_OpensTheConnection()
    {
        var script = new Script();
        using var connection = new TestConnection(script);

        Assert.That(script.Events, Is.EqualTo(["connected"]));
        Assert.That(connection.Connection.State, Is.EqualTo(ConnectionState.Open));
        Assert.That(connection.Connection.Handler, Is.SameAs(script));
        Assert.That(connection.Connection.RemoteEndPoint, Is.InstanceOf<IPEndPoint>());
        Assert.That(connection.IsClosed, Is.False);
        Assert.That(connection.CloseReason, Is.Null);
        Assert.That(connection.IsOutputEnded, Is.False);
        Assert.That(connection.PeerReads, Is.True);
        Assert.That(connection.TakeSent(), Is.Empty);
    }

    [Test]
    public void Sent_IsTakenOnce()
    {
        using var connection = new TestConnection(new Echo());
        connection.Receive("één"u8);
        connection.Receive(" two"u8);

        Assert.That(connection.TakeSentText(), Is.EqualTo("één two"));
        Assert.That(connection.TakeSentText(), Is.Empty);

        connection.Receive([1, 2, 3]);
        Assert.That(connection.TakeSent(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void Receive_IsOnePiece()
    {
        var script = new Script();
        using var connection = new TestConnection(script);
        string text = new('x', 1024);
        for (int i = 0; i < 20; i++)
        {
            connection.Receive(Encoding.UTF8.GetBytes(text));
        }

        Assert.That(script.Events, Is.EqualTo(["connected", .. Enumerable.Repeat($"read {text}", 20)]));
    }

    [Test]
    public void ReceiveInPieces_IsOneReadEach()
    {
        var script = new Script();
        using var connection = new TestConnection(script);
        connection.ReceiveInPieces("abcdefg"u8, 3);
        connection.ReceiveInPieces("hi"u8, 1);
        connection.ReceiveInPieces("j"u8, 5);

        Assert.That(
            script.Events, Is.EqualTo(["connected", "read abc", "read def", "read g", "read h", "read i", "read j"]));
        Assert.That(() => connection.ReceiveInPieces("l"u8, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void NothingReceived_IsNothing()
    {
        var script = new Script();
        using var connection = new TestConnection(script);
        connection.Receive([]);
        connection.ReceiveInPieces([], 1);

        Assert.That(script.Events, Is.EqualTo(["connected"]));
    }

    [TestCase(100_000)]
    [TestCase(5_000_000)]
    public void BigMessages_PassWhole_BothWays(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        using var connection = new TestConnection(new Echo());
        connection.Receive(bytes);

        Assert.That(connection.TakeSent().AsSpan().SequenceEqual(bytes), Is.True);
    }

    [Test]
    public void EndInput_IsToldAfterTheInput_AndClosesByDefault()
    {
        var script = new Script();
        using var connection = new TestConnection(script);
        connection.Receive("x"u8);
        connection.EndInput();
        connection.EndInput();

        Assert.That(script.Events, Is.EqualTo(["connected", "read x", "ended", "closed PeerClosed"]));
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.PeerClosed));
        Assert.That(connection.IsOutputEnded, Is.True);
    }

    [Test]
    public void HalfOpenHandler_GoesOnSending()
    {
        var script = new Script { InputEnded = static connection => connection.TryWrite("still here"u8) };
        using var connection = new TestConnection(script);
        connection.EndInput();
        Assert.That(connection.TakeSentText(), Is.EqualTo("still here"));
        Assert.That(connection.IsClosed || connection.IsOutputEnded, Is.False);
        Assert.That(() => connection.Receive("x"u8), Throws.InvalidOperationException);

        connection.Connection.Close();
        connection.Run();
        Assert.That(connection.IsOutputEnded, Is.True);
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void HandlerThatEndsItsOutput_GoesOnReading()
    {
        var script = new Script { Connected = static connection => connection.CloseOutput() };
        using var connection = new TestConnection(script);
        Assert.That(connection.IsOutputEnded, Is.True);

        connection.Receive("x"u8);
        Assert.That(script.Events, Is.EqualTo(["connected", "read x"]));

        connection.Connection.Close();
        connection.Run();
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void HandlerThatClosesInOnConnected_HasSentWhatItWrote()
    {
        var script = new Script
        {
            Connected = static connection =>
            {
                connection.TryWrite("bye"u8);
                connection.Close();
            },
        };
        using var connection = new TestConnection(script);

        Assert.That(connection.TakeSentText(), Is.EqualTo("bye"));
        Assert.That(connection.IsOutputEnded, Is.True);
        Assert.That(connection.CloseReason, Is.EqualTo(new CloseReason { Kind = CloseKind.Local }));
        Assert.That(script.Events, Is.EqualTo(["connected", "closed Local"]));

        connection.Receive("nobody hears this"u8);
        Assert.That(script.Events, Has.Count.EqualTo(2));
    }

    [Test]
    public void Reset_IsToldWithItsError()
    {
        var script = new Script();
        using var connection = new TestConnection(script);
        connection.Receive("x"u8);
        connection.Reset();
        connection.Reset();
        connection.EndInput();

        Assert.That(script.Events, Is.EqualTo(["connected", "read x", "closed PeerReset"]));
        var error = (SocketException)connection.CloseReason!.Value.Error!;
        Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.ConnectionReset));
        Assert.That(connection.IsOutputEnded, Is.False);
    }

    [Test]
    public void Abort_IsNoEndOfTheOutput()
    {
        using var connection = new TestConnection(new Script { Readable = static connection => connection.Abort() });
        connection.Receive("x"u8);

        Assert.That(connection.IsOutputEnded, Is.False);
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.Aborted));
    }

    [Test]
    public void Options_AreThoseOfTheConnection()
    {
        var script = new Script { Readable = static connection => Examine(connection) };
        using var connection = new TestConnection(script, new ConnectionOptions { MaxInputBytes = 2 });
        connection.Receive("ab"u8);
        Assert.That(connection.IsClosed, Is.False);

        connection.Receive("c"u8);
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.LimitExceeded));

        static void Examine(Connection connection)
        {
            connection.Input.TryRead(out ReadResult result);
            connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    [Test]
    public void HandlerThatHandsOver_IsReplaced()
    {
        var next = new Script();
        using var connection = new TestConnection(new Script { Readable = opened => opened.Handler = next });
        connection.Receive("to the next"u8);

        Assert.That(next.Events, Is.EqualTo(["read to the next"]));
    }

    [Test]
    public void Dispose_ClosesTheConnection()
    {
        var script = new Script();
        var connection = new TestConnection(script);
        connection.Dispose();
        connection.Dispose();

        Assert.That(script.Events, Is.EqualTo(["connected", "closed ReactorStopped"]));
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.ReactorStopped));
        Assert.That(() => connection.Receive("x"u8), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => connection.PeerReads = false, Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void NullArguments_AreRefused()
    {
        Assert.That(() => new TestConnection((IConnectionHandler)null!), Throws.ArgumentNullException);
        Assert.That(() => new TestConnection(new Script(), null!), Throws.ArgumentNullException);
    }
}
