using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Bytes that are handed over from an input to outputs of the same reactor.</summary>
public sealed class AppendTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private static readonly ReadOnlySequence<byte> _oneByte = new(new byte[1]);

    [TestCase(1)]
    [TestCase(4096)]
    [TestCase(20_000)]
    [TestCase(1_000_000)]
    public void Echo_ComesBackWhole(int size)
    {
        Handler.Readable = HandOver;
        Peer peer = Connect();
        byte[] bytes = Pattern(size);

        Assert.That(Exchange(peer, bytes), Is.EqualTo(bytes));

        RunUntilClosed();
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void AppendsAndWrites_KeepTheirOrder([Values(10, 5000, 30_000)] int size)
    {
        Handler.Readable = static connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                Memory<byte> lent = connection.Output.GetMemory(5);
                connection.Append(result.Buffer);
                connection.TryWrite("tried"u8);
                "lent"u8.CopyTo(lent.Span);
                connection.Output.Advance(4);
                connection.Append(result.Buffer.Slice(1));
                connection.Output.Write("written"u8);
                connection.Append(new ReadOnlySequence<byte>("array"u8.ToArray()));
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        };
        Peer peer = Connect();
        byte[] bytes = Pattern(size);
        peer.Send(bytes);
        RunUntil(() => Connection.Statistics.BytesReceived == size);
        RunSome();

        // As many receives as it took, so each answer holds what one receive brought.
        byte[] all = peer.Receive((int)Connection.Statistics.BytesSent);
        byte[] expected = [.. bytes, .. "triedlent"u8, .. bytes.AsSpan(1), .. "writtenarray"u8];
        if (Handler.Events.Count(static e => e == nameof(IConnectionHandler.OnReadable)) == 1)
        {
            Assert.That(all, Is.EqualTo(expected));
        }
        else
        {
            Assert.That(all.AsSpan(all.Length - 12).ToArray(), Is.EqualTo("writtenarray"u8.ToArray()));
        }
    }

    [Test]
    public void SourceThatIsCut_LeavesItsBytesToTheOthers()
    {
        Peer first = Connect();
        Connection target = Connection;
        Peer second = Connect();
        byte[] bytes = Pattern(4000);
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                target.Append(result.Buffer);
                connection.Abort();
                target.Append(result.Buffer);
            }
        };
        second.Send(bytes);

        RunUntilClosed();
        RunSome();

        Assert.That(first.Receive(8000), Is.EqualTo(bytes.Concat(bytes)));
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void TargetThatIsCut_GivesTheMemoryBack()
    {
        Connect();
        Connection target = Connection;
        Peer second = Connect();
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                target.Append(result.Buffer);
                target.Abort();
                target.Append(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        };
        second.Send(Pattern(4000));

        CloseReason reason = RunUntilClosed();

        Assert.That((reason.Kind, reason.UnsentBytes), Is.EqualTo((CloseKind.Aborted, 4000L)));
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void MoreThanTheLimit_ClosesWithLimitExceeded([Values] bool byReference)
    {
        Peer peer = Connect(new ConnectionOptions { MaxOutputBytes = 3000 });
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                connection.Append(
                    byReference ? result.Buffer : new ReadOnlySequence<byte>(new byte[10_000_000]));
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        };
        peer.Send(Pattern(byReference ? 4000 : 1));

        CloseReason reason = RunUntilClosed();

        Assert.That(reason.Kind, Is.EqualTo(CloseKind.LimitExceeded));
        Assert.That(reason.UnsentBytes, Is.LessThan(1_000_000), "no more is copied than shows that it is too much");
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void HighWaterMark_IsReached_AndOnWritableFollows()
    {
        Peer peer = Connect(new ConnectionOptions { OutputHighWaterMark = 3000, OutputLowWaterMark = 1000 });
        bool wasWritable = true;
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                connection.Append(result.Buffer);
                wasWritable = connection.IsWritable;
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        };
        peer.Send(Pattern(4000));

        RunUntil(() => Handler.Events.Contains(nameof(IConnectionHandler.OnWritable)));

        Assert.That((wasWritable, Connection.IsWritable), Is.EqualTo((false, true)));
    }

    [Test]
    public void UnflushedBytes_CountWhatIsAppended()
    {
        Connect();
        Connection.Append(new ReadOnlySequence<byte>(new byte[10]));

        Assert.That(Connection.Output.UnflushedBytes, Is.EqualTo(10));
    }

    [Test]
    public void AfterClose_BytesAreDropped_AndAfterCloseOutputTheyAreRefused()
    {
        Connect();
        Connection.CloseOutput();
        Assert.That(() => Connection.Append(_oneByte), Throws.InvalidOperationException);

        Connection.Close();
        Assert.That(() => Connection.Append(_oneByte), Throws.Nothing);
        Assert.That(Connection.QueuedOutputBytes, Is.Zero);
    }

    [Test]
    public void BytesThatWereGivenBack_CutTheConnectionWhoseHandlerHandsThemOver()
    {
        Peer peer = Connect();
        Handler.Readable = static connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                connection.Input.AdvanceTo(result.Buffer.End);
#pragma warning disable SR0005 // What the test is about.
                connection.Append(result.Buffer);
#pragma warning restore SR0005
            }
        };
        peer.Send([1]);

        CloseReason reason = RunUntilClosed();

        Assert.That(reason.Kind, Is.EqualTo(CloseKind.HandlerFault));
        Assert.That(reason.Error, Is.InstanceOf<InvalidOperationException>());
    }

#pragma warning disable SR0007 // What the tests are about.
    [Test]
    public void OnAnotherThread_ItThrows()
    {
        Connect();

        Assert.That(
            () => Task.Run(() => Connection.Append(_oneByte)).Wait(),
            Throws.InnerException.InstanceOf<InvalidOperationException>());
    }

    [Test]
    public void OnAnotherThread_AnEmptyOneThrowsToo([Values] bool decorated)
    {
        Connect();
        Connection connection = decorated ? new Shifted(Connection) : Connection;
        Assert.That(() => connection.Append(ReadOnlySequence<byte>.Empty), Throws.Nothing);

        Assert.That(
            () => Task.Run(() => connection.Append(ReadOnlySequence<byte>.Empty)).Wait(),
            Throws.InnerException.InstanceOf<InvalidOperationException>());
    }
#pragma warning restore SR0007

    private static void HandOver(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            connection.Append(result.Buffer);
            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }

    private static byte[] Pattern(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }
}
