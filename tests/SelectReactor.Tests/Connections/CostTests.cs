using System.Buffers;
using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>What one message costs, in allocations and in system calls: figures that must not creep up.</summary>
public sealed class CostTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private const int Messages = 2_000;
    private const int MessageBytes = 4_000;

    [TestCase(32)]
    [TestCase(20_000)]
    [TestCase(100_000)]
    public void SteadyMessage_AllocatesNothing(int size) => AssertAllocatesNothing(new Echo(), size);

    [TestCase(32)]
    [TestCase(20_000)]
    [TestCase(100_000)]
    public void SteadyMessage_HandedOver_AllocatesNothing(int size) =>
        AssertAllocatesNothing(new ScriptedHandler { Readable = HandOver }, size);

    [TestCase(true)]
    [TestCase(false)]
    public void SteadyMessage_OfAHandlerThatAwaits_AllocatesNothing(bool configured) =>
        AssertAllocatesNothing(new AsyncEcho(configured), 32);

    private void AssertAllocatesNothing(IConnectionHandler handler, int size)
    {
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        byte[] message = new byte[size];
        byte[] answer = new byte[size];
        Exchange(peer, message, answer);

        long least = Allocations.Least(() => Exchange(peer, message, answer));

        Assert.That(least, Is.Zero, $"bytes for {Messages} messages");
    }

    [Test]
    public void IdleConnection_HoldsNoMemory()
    {
        using Listener listener = Reactor.Listen(AnyPort, new Echo());
        using var peer = Peer.Connect(listener.LocalEndPoint);
        Exchange(peer, new byte[100], new byte[100]);

        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
    }

    [TestCase(1)]
    [TestCase(7)]
    public void OneMessage_IsOneReceiveAndOneSend_HoweverManyWrites(int writes) =>
        AssertOneReceiveAndOneSend(
            c =>
            {
                byte[] message = ScriptedHandler.ReadAll(c);
                for (int i = 0; i < writes; i++)
                {
                    c.Output.Write(message);
                }
            },
            writes * MessageBytes);

    [Test]
    public void OneMessageHandedOver_IsOneReceiveAndOneSend() => AssertOneReceiveAndOneSend(HandOver, MessageBytes);

    private static void AssertOneReceiveAndOneSend(Action<Connection> readable, int bytesSent)
    {
        var handle = new CountingHandle();
        SelectorEntry entry = null!;
        var selector = new Mock<ISelector>();
        selector.Setup(static s => s.Add(It.IsAny<SelectorEntry>())).Callback<SelectorEntry>(added => entry = added);
        selector.Setup(static s => s.Select(It.IsAny<TimeSpan>(), It.IsAny<List<SelectorEntry>>()))
            .Callback<TimeSpan, List<SelectorEntry>>((_, ready) =>
            {
                entry.Ready = Interest.Read;
                ready.Add(entry);
            });
        using var reactor = new Reactor(new ReactorOptions { SelectorFactory = () => selector.Object });
        var connection = new StreamConnection(
            reactor,
            new Opened(handle),
            new ConnectionOptions(),
            pauseReadingWhenOutputIsFull: true,
            onFinished: null);
        connection.Register();
        connection.Open(new ScriptedHandler { Readable = readable });
        selector.Invocations.Clear();
        for (int i = 0; i < 10; i++)
        {
            reactor.RunOnce(TimeSpan.Zero);
        }

        Assert.That((handle.Receives, handle.Sends, handle.BytesSent), Is.EqualTo((10, 10, 10 * bytesSent)));
        selector.Verify(static s => s.Update(It.IsAny<SelectorEntry>(), It.IsAny<Interest>()), Times.Never);
    }

    private static void HandOver(Connection connection)
    {
        if (connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
        {
            connection.Append(result.Buffer);
            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }

    private void Exchange(Peer peer, byte[] message, byte[] answer)
    {
        for (int i = 0; i < Messages; i++)
        {
            peer.Send(message);
            while (peer.Socket.Available < message.Length)
            {
                Reactor.RunOnce(TimeSpan.Zero);
            }

            peer.Socket.Receive(answer);
        }
    }

    private sealed class Echo : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
            {
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    connection.Output.Write(segment.Span);
                }

                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }

    private sealed class AsyncEcho(bool configured) : AsyncConnectionHandler
    {
        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            System.IO.Pipelines.ReadResult result;
            do
            {
                result = await connection.Input.ReadAsync().ConfigureAwait(configured);
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    connection.Output.Write(segment.Span);
                }

                connection.Input.AdvanceTo(result.Buffer.End);
                await connection.Output.FlushAsync().ConfigureAwait(configured);
            }
            while (!result.IsCompleted);
        }
    }

    private sealed class CountingHandle : Handle
    {
        public override bool IsClosed => false;

        public int Receives { get; private set; }

        public int Sends { get; private set; }

        public int BytesSent { get; private set; }

        public override SocketError Receive(Span<byte> buffer, out int received)
        {
            Receives++;
            received = Math.Min(buffer.Length, MessageBytes);
            return SocketError.Success;
        }

        public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
        {
            Sends++;
            sent = buffer.Length;
            BytesSent += sent;
            return SocketError.Success;
        }

        public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
        {
            Sends++;
            sent = buffers.Sum(static buffer => buffer.Count);
            BytesSent += sent;
            return SocketError.Success;
        }

        public override void Close()
        {
        }
    }
}
