using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>The ways to make a test connection, and handlers that do not come to an end.</summary>
public sealed class TestConnectionFormTests
{
    [Test]
    public void AsynchronousMethod_IsServed_AndItsTokenIsCancelled()
    {
        bool cancelled = false;
        using var connection = new TestConnection(async (connection, closed) =>
        {
            await connection.Output.WriteAsync("hi"u8.ToArray(), closed);
            try
            {
                await Task.Delay(TimeSpan.FromDays(1), connection.Reactor.TimeProvider, closed);
            }
            catch (OperationCanceledException)
            {
                cancelled = true;
            }
        });
        Assert.That(connection.TakeSentText(), Is.EqualTo("hi"));

        connection.Reset();
        Assert.That(cancelled, Is.True);
        Assert.That(connection.CloseReason?.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void ExceptionOfAnAsynchronousMethod_IsThrown() => Assert.That(
        static () => new TestConnection(static (_, _) => throw new NotSupportedException("at once")),
        Throws.InstanceOf<NotSupportedException>());

    [Test]
    public void PeerThatDoesNotRead_IsSetBeforeOnConnected()
    {
        var handler = new Stream();
        using var connection = new TestConnection(handler, new ConnectionOptions(), peerReads: false);

        Assert.That(connection.PeerReads, Is.False);
        Assert.That(connection.TakeSent(), Is.Empty);
        Assert.That(connection.Connection.IsWritable, Is.False);
        Assert.That(handler.Written, Is.LessThan(10_000_000));
    }

    [Test]
    public void HandlerThatSendsWithoutEnd_IsFound_BeforeMemoryRunsOut() => Assert.That(
        static () => new TestConnection(new Stream()),
        Throws.InstanceOf<SimulationException>().With.Message.Contains("64 MiB")
            .And.Message.Contains("peerReads: false"));

    [Test]
    public void HandlerThatSendsWithoutEnd_IsFound_WhenThePeerBeginsToRead()
    {
        using var connection = new TestConnection(new Stream(), new ConnectionOptions(), peerReads: false);

        Assert.That(
            () => connection.PeerReads = true,
            Throws.InstanceOf<SimulationException>().With.Message.Contains("set PeerReads to false"));
    }

    [Test]
    public void HandlerThatPostsWithoutEnd_IsFound() => Assert.That(
        static () => new TestConnection(new Script { Connected = static connection => PostAgain(connection.Reactor) }),
        Throws.InstanceOf<SimulationException>().With.Message.Contains("does something spin"));

    [Test]
    public void ReceiveText_IsUtf8()
    {
        using var connection = new TestConnection(new Echo());
        connection.ReceiveText("één");
        connection.ReceiveText("");

        Assert.That(connection.TakeSent(), Is.EqualTo("één"u8.ToArray()));
        Assert.That(() => connection.ReceiveText(null!), Throws.ArgumentNullException);
    }

    [Test]
    public void NullMethod_IsRefused() => Assert.That(
        static () => new TestConnection((Func<Connection, CancellationToken, Task>)null!),
        Throws.ArgumentNullException);

    private static void PostAgain(Reactor reactor) => reactor.Post(() => PostAgain(reactor));

    /// <summary>Writes whenever there is room.</summary>
    private sealed class Stream : ConnectionHandler
    {
        private static readonly byte[] _bytes = new byte[16 * 1024];

        public long Written { get; private set; }

        public override void OnConnected(Connection connection) => Write(connection);

        public override void OnWritable(Connection connection) => Write(connection);

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }

        private void Write(Connection connection)
        {
            while (connection.IsWritable)
            {
                connection.Output.Write(_bytes);
                Written += _bytes.Length;
            }
        }
    }
}
