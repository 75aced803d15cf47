using System.IO.Pipelines;
using System.Net;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>What disposing a <see cref="Connection.AsStream"/> does, and what costs and decorators it knows.</summary>
public sealed class ConnectionStreamEndTests(SelectorKind selector) : StreamFixture(selector)
{
    [Test]
    public void Dispose_SendsEverything_ThenCloses()
    {
        (Connection connection, Peer peer) = Accept();
        using (Stream stream = connection.AsStream())
        {
            stream.Write(Noise(1_000_000));
        }

        Assert.That(connection.State, Is.EqualTo(ConnectionState.Closing));
        Assert.That(RunBeside(peer.ReceiveToEnd).AsSpan().SequenceEqual(Noise(1_000_000)));
        peer.EndOutput();
        Assert.That(RunUntil(connection.Completion).Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void DisposeAsync_WaitsUntilTheConnectionIsClosed()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        stream.Write("bye"u8);
        Task disposal = stream.DisposeAsync().AsTask();
        RunSome();
        Assert.That(disposal.IsCompleted, Is.False, "the peer has not ended its stream");
        peer.EndOutput();
        RunUntil(disposal);

        Assert.That(connection.State, Is.EqualTo(ConnectionState.Closed));
        RunUntil(stream.DisposeAsync().AsTask());
        stream.Dispose();
    }

    // Of several awaits of one task, the runtime lets only the first go on at once.
    [Test]
    public void DisposeAsync_StaysOnTheLoop_WhenOthersAwaitTheEndToo([Values] bool ofStream)
    {
        (Connection connection, Peer peer) = Accept();
        peer.EndOutput();
        bool stayed = false;
        RunOnLoop(async () =>
        {
            await Task.WhenAll(AwaitAsync(connection.Completion), DisposeAsync());

            static async Task AwaitAsync(Task task) => await task.ConfigureAwait(false);

            async Task DisposeAsync()
            {
                IAsyncDisposable disposable = ofStream ? connection.AsStream() : connection;
                await disposable.DisposeAsync().ConfigureAwait(false);
                stayed = Reactor.IsReactorThread;
            }
        });

        Assert.That(stayed);
    }

    [Test]
    public void Dispose_CanLeaveTheConnectionOpen([Values] bool asynchronously)
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream(leaveOpen: true);
        stream.Write("a"u8);
        if (asynchronously)
        {
            Assert.That(stream.DisposeAsync().AsTask().IsCompletedSuccessfully);
        }
        else
        {
            stream.Dispose();
        }

        AssertIsUsable(connection, peer);
    }

    [Test]
    public void DisposeThatLeavesTheConnectionOpen_EndsAReadThatWaits()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream(leaveOpen: true);
        Task<int> read = stream.ReadAsync(new byte[10], 0, 10);
        stream.Write("a"u8);
        stream.Dispose();
        Assert.That(() => RunUntil(read), Throws.TypeOf<ObjectDisposedException>());

        AssertIsUsable(connection, peer);
    }

    [Test]
    public void DisposeBesideACancelledToken_LeavesTheInputToTheNextReader()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream(leaveOpen: true);
        using var source = new CancellationTokenSource();
        Task<int> read = stream.ReadAsync(new byte[10], source.Token).AsTask();
        Reactor.Post(stream.Dispose);
        source.Cancel();
        Assert.That(() => RunUntil(read), Throws.TypeOf<ObjectDisposedException>());
        Task<ReadResult> next = connection.Input.ReadAsync().AsTask();
        RunSome();
        Assert.That(next.IsCompleted, Is.False, "nothing was sent");
        peer.Send("abc"u8);
        ReadResult result = RunUntil(next);

        Assert.That((result.IsCanceled, result.Buffer.Length), Is.EqualTo((false, 3)));
        connection.Input.AdvanceTo(result.Buffer.End);
    }

    [Test]
    public void DisposedStream_RefusesEverything()
    {
        (Connection connection, _) = Accept();
        Stream stream = connection.AsStream();
        Assert.That((stream.CanRead, stream.CanWrite, stream.CanSeek, stream.CanTimeout),
            Is.EqualTo((true, true, false, false)));
        stream.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That((stream.CanRead, stream.CanWrite), Is.EqualTo((false, false)));
            Assert.That(() => stream.Read(new byte[1]), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => stream.Read(new byte[1], 0, 1), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(stream.ReadByte, Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => stream.Write([1]), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => stream.Write([1], 0, 1), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => stream.WriteByte(1), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => stream.ReadAsync(new byte[1], 0, 1), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => stream.WriteAsync(new byte[1], 0, 1), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(
                () => stream.BeginRead(new byte[1], 0, 1, null, null), Throws.TypeOf<ObjectDisposedException>());
        });
    }

    // As with a NetworkStream: a wrapper that is disposed later flushes.
    [Test]
    public void FlushAfterDispose_DoesNothing([Values] bool leaveOpen)
    {
        Stream stream = Accept().Connection.AsStream(leaveOpen);
        stream.Dispose();

        Assert.That(stream.Flush, Throws.Nothing);
        Assert.That(stream.FlushAsync().IsCompletedSuccessfully);
    }

    [Test]
    public void Stream_HasNoPosition()
    {
        using Stream stream = Accept().Connection.AsStream();
        Assert.Multiple(() =>
        {
            Assert.That(() => stream.Length, Throws.TypeOf<NotSupportedException>());
            Assert.That(() => stream.Position, Throws.TypeOf<NotSupportedException>());
            Assert.That(() => stream.Position = 1, Throws.TypeOf<NotSupportedException>());
            Assert.That(() => stream.Seek(0, SeekOrigin.Begin), Throws.TypeOf<NotSupportedException>());
            Assert.That(() => stream.SetLength(1), Throws.TypeOf<NotSupportedException>());
        });
    }

    [Test]
    public void CallsThatCompleteAtOnce_AllocateNothing()
    {
        (Connection connection, Peer peer) = Accept();
        Stream stream = connection.AsStream();
        byte[] message = new byte[16];
        peer.Send(new byte[16 * 1000]);
        RunUntil(() => Reactor.RunOnce(TimeSpan.FromMilliseconds(1)) == 0);
        int pending = 0;
        long least = Allocations.Least(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                ValueTask<int> read = stream.ReadAsync(message);
                pending += read.IsCompletedSuccessfully ? 0 : 1;
                ValueTask write = stream.WriteAsync(message);
                pending += write.IsCompletedSuccessfully ? 0 : 1;
            }
        });

        Assert.That(pending, Is.Zero);
        Assert.That(least, Is.Zero);
    }

    [Test]
    public void AwaitedMessages_AllocateNothing([Values] bool configured)
    {
        using Listener listener = Reactor.Listen(AnyPort, new ServeHandler(async connection =>
        {
            byte[] buffer = new byte[100];
            Stream stream = connection.AsStream();
            for (int count; (count = await stream.ReadAsync(buffer).ConfigureAwait(configured)) > 0;)
            {
                await stream.WriteAsync(buffer.AsMemory(0, count)).ConfigureAwait(configured);
            }
        }));
        using var peer = Peer.Connect(listener.LocalEndPoint);
        byte[] message = new byte[32];
        long least = Allocations.Least(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                peer.Socket.Send(message);
                while (peer.Socket.Available < message.Length)
                {
                    Reactor.RunOnce(TimeSpan.FromMilliseconds(10));
                }

                peer.Socket.Receive(message);
            }
        });

        Assert.That(least / 200, configured ? Is.LessThan(200) : Is.Zero, "bytes for each message");
    }

    [Test]
    public void Decorator_HasAStream_OverItsOwnInputAndOutput()
    {
        (Connection inner, Peer peer) = Accept();
        var decorator = new Shifted(inner);
        Stream stream = decorator.AsStream();
        bool stayed = false;
        RunOnLoop(async () =>
        {
            byte[] buffer = new byte[10];
            await stream.WriteAsync("bcd"u8.ToArray()).ConfigureAwait(false);
            stayed = Reactor.IsReactorThread;
            Task<int> read = stream.ReadAsync(buffer, 0, 10);
            peer.Send("bcd"u8);
            Assert.That(await read.ConfigureAwait(false), Is.EqualTo(3));
            stayed &= Reactor.IsReactorThread;
            Assert.That(buffer[..3], Is.EqualTo("abc"u8.ToArray()));
            peer.EndOutput();
            await stream.DisposeAsync().ConfigureAwait(false);
        });

        Assert.That(stayed);
        Assert.That(inner.State, Is.EqualTo(ConnectionState.Closed));
        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("cde"u8.ToArray()));
    }

    private void AssertIsUsable(Connection connection, Peer peer)
    {
        Assert.That(connection.State, Is.EqualTo(ConnectionState.Open));
        connection.TryWrite("bc"u8);
        Assert.That(RunBeside(() => peer.Receive(3)), Is.EqualTo("abc"u8.ToArray()));
        peer.Send("def"u8);
        ReadResult result = RunUntil(connection.Input.ReadAsync().AsTask());
        Assert.That(result.Buffer.Length, Is.EqualTo(3));
        connection.Input.AdvanceTo(result.Buffer.End);
    }
}
