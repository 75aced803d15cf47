using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>What was received before a reset is read first, however slow the reader is (fault F2).</summary>
public sealed class ResetInputTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private const int Total = 40_000;

    [TestCase(1)]
    [TestCase(1_000)]
    [TestCase(Total)]
    public void AReaderThatAwaitsSomethingElseBetweenReads_GetsAll(int step)
    {
        var reader = new SlowReader(step == 1 ? 977 : step);
        Peer peer = ConnectAndReset(reader);
        RunUntil(() => reader.End.IsCompleted);

        Assert.That(reader.Received, Is.EqualTo(Total));
        Assert.That(reader.End.Result, Is.InstanceOf<IOException>());
        Assert.That(RunUntil(reader.Connection!.Completion).Kind, Is.EqualTo(CloseKind.PeerReset));
        peer.Dispose();
    }

    [Test]
    public void AReset_ThatASendFindsAfterThePeersEnd_LeavesTheInputToo()
    {
        var reader = new SlowReader(1_000);
        Peer peer = Adopt(reader);
        peer.Send(new byte[Total]);
        peer.EndOutput();
        RunUntil(() => reader.Connection?.Statistics.BytesReceived == Total);
        peer.Reset();
        RunUntil(() => !reader.Connection!.TryWrite("x"u8) || reader.Connection.State != ConnectionState.Open);
        reader.Begin();
        RunUntil(() => reader.End.IsCompleted);

        Assert.That(reader.Received, Is.EqualTo(Total));
    }

    [Test]
    public void AReaderThatIsPausedByFullInput_GetsWhatIsBuffered()
    {
        var reader = new SlowReader(1_000);
        Peer peer = Adopt(
            reader, new ConnectionOptions { InputPauseThreshold = 1_000, ReceiveBufferBytes = 1 << 20 });
        peer.Send(new byte[Total]);
        RunUntil(() => reader.Connection?.Statistics.BytesReceived >= 1_000);
        peer.Reset();
        RunSome();
        reader.Begin();
        RunUntil(() => reader.End.IsCompleted);

        Assert.That(reader.Received, Is.EqualTo(reader.Connection!.Statistics.BytesReceived));
        Assert.That(reader.Connection.Completion.Result.Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void AReaderThatNeverComesBack_IsClosedInTheEnd()
    {
        var reader = new SlowReader(1_000);
        Peer peer = Adopt(reader, new ConnectionOptions { MaxLingerTime = TimeSpan.FromMilliseconds(50) });
        peer.Send(new byte[Total]);
        RunUntil(() => reader.Connection?.Statistics.BytesReceived == Total);
        peer.Reset();

        Assert.That(RunUntil(reader.Connection!.Completion).Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void ACallbackHandlerThatKeepsAPartOfAMessage_IsToldAtOnce()
    {
        Handler.Readable = ScriptedHandler.ExamineAll;
        Peer peer = Connect();
        peer.Send("half a mess"u8);
        RunUntil(() => Handler.Events.Contains("OnReadable"));
        peer.Reset();

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerReset));
    }

    [Test]
    public void AClose_EndsTheWait()
    {
        var reader = new SlowReader(1_000);
        Peer peer = ConnectAndReset(reader, begins: false);
        RunSome();
        reader.Connection!.Close();

        Assert.That(RunUntil(reader.Connection.Completion).Kind, Is.EqualTo(CloseKind.PeerReset));
        peer.Dispose();
    }

    private Peer ConnectAndReset(SlowReader reader, bool begins = true)
    {
        Peer peer = Adopt(reader);
        peer.Send(new byte[Total]);
        RunUntil(() => reader.Connection?.Statistics.BytesReceived == Total);
        peer.Reset();
        RunSome();
        if (begins)
        {
            reader.Begin();
        }

        return peer;
    }

    private Peer Adopt(SlowReader reader, ConnectionOptions? options = null)
    {
        Listener listener = Reactor.Listen(
            AnyPort, reader, new ListenerOptions { Connection = options ?? new ConnectionOptions() });
        var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => reader.Connection is not null);
        return peer;
    }

    private sealed class SlowReader(int step) : AsyncConnectionHandler
    {
        private readonly TaskCompletionSource _begin = new();
        private readonly TaskCompletionSource<Exception> _end = new();

        public Connection? Connection { get; private set; }

        public long Received { get; private set; }

        public Task<Exception> End => _end.Task;

        public void Begin() => _begin.SetResult();

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            Connection = connection;
            try
            {
                await _begin.Task;
                while (true)
                {
#pragma warning disable SR0004 // The peer resets: a read throws.
                    ReadResult result = await connection.Input.ReadAsync();
#pragma warning restore SR0004
                    await Task.Yield();
                    ReadOnlySequence<byte> some = result.Buffer.Slice(0, Math.Min(step, result.Buffer.Length));
                    Received += some.Length;
                    connection.Input.AdvanceTo(some.End);
                    await Task.Yield();
                }
            }
            catch (IOException exception)
            {
                _end.SetResult(exception);
            }
        }
    }
}
