using System.IO.Pipelines;
using System.Text;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Libraries that await with <c>ConfigureAwait(false)</c>, as most of the framework does, stay on the
/// reactor's thread.</summary>
public sealed class StreamLibraryTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void StreamReader_GoesOnTheReactorsThread_WithALineInTwoPieces([Values] bool configured)
    {
        var handler = new LineEcho(configured);
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        for (int i = 0; i < 3; i++)
        {
            peer.Send("he"u8);
            RunSome();
            peer.Send("llo\n"u8);
            RunUntil(() => peer.Socket.Available == 6);
            Assert.That(peer.Receive(6), Is.EqualTo("hello\n"u8.ToArray()));
        }

        peer.EndOutput();
        RunUntil(() => handler.Reason is not null);
        Assert.That(handler.Reason, Is.EqualTo(new CloseReason { Kind = CloseKind.PeerClosed }));
        Assert.That(handler.LeftTheThread, Is.False);
    }

    [Test]
    public void CopyToAsync_GoesOnTheReactorsThread()
    {
        byte[] bytes = new byte[1_000_000];
        new Random(5).NextBytes(bytes);
        using Listener listener = Reactor.Listen(AnyPort, new Copying());
        using var peer = Peer.Connect(listener.LocalEndPoint);

        Assert.That(Exchange(peer, bytes).AsSpan().SequenceEqual(bytes));
    }

    private sealed class Copying : AsyncConnectionHandler
    {
        protected override Task ServeAsync(Connection connection, CancellationToken closed) =>
            connection.Input.CopyToAsync(connection.Output.AsStream(leaveOpen: true));
    }

    private sealed class LineEcho(bool configured) : AsyncConnectionHandler
    {
        public bool LeftTheThread { get; private set; }

        public CloseReason? Reason { get; private set; }

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            _ = NoteReasonAsync(connection);
            using var reader = new StreamReader(connection.Input.AsStream(leaveOpen: true), Encoding.ASCII);
            while (await reader.ReadLineAsync().ConfigureAwait(configured) is { } line)
            {
                LeftTheThread |= !connection.Reactor.IsReactorThread;
                await connection.Output.WriteAsync(Encoding.ASCII.GetBytes(line + "\n")).ConfigureAwait(configured);
                LeftTheThread |= !connection.Reactor.IsReactorThread;
            }
        }

        private async Task NoteReasonAsync(Connection connection) =>
            Reason = await connection.Completion.ConfigureAwait(false);
    }
}
