using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

public sealed class InputTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void OneMessagePerCallback_IsEnoughForAHundredInOneSegment()
    {
        List<byte> seen = [];
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                seen.Add(result.Buffer.FirstSpan[0]);
                SequencePosition next = result.Buffer.GetPosition(1);
                connection.Input.AdvanceTo(next, next);
            }
        };
        Peer peer = Connect();
        byte[] messages = [.. Enumerable.Range(0, 100).Select(static i => (byte)i)];
        peer.Send(messages);
        RunUntil(() => seen.Count == 100);

        Assert.That(seen, Is.EqualTo(messages));
        RunSome();
        Assert.That(seen, Has.Count.EqualTo(100));
    }

    [Test]
    public void NothingConsumed_IsNotOfferedAgain_UntilMoreArrives()
    {
        long length = 0;
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                length = result.Buffer.Length;
                connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.Start);
            }
        };
        Peer peer = Connect();
        peer.Send("abc"u8);
        RunUntil(() => length == 3);
        RunSome();
        Assert.That(CountOnReadable(), Is.EqualTo(1));

        peer.Send("de"u8);
        RunUntil(() => length == 5);
        Assert.That(CountOnReadable(), Is.EqualTo(2));
    }

    [Test]
    public void EndOfStream_ShowsFromOnInputEndedOn_AfterAllThatWasOfferedAgain()
    {
        List<bool> completed = [];
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                completed.Add(result.IsCompleted);
                SequencePosition next = result.Buffer.GetPosition(1);
                connection.Input.AdvanceTo(next, next);
            }
        };
        bool? completedAtEnd = null;
        Handler.InputEnded = connection =>
        {
            Assert.That(connection.Input.TryRead(out ReadResult result));
            completedAtEnd = result.IsCompleted;
            connection.Input.AdvanceTo(result.Buffer.End);
            connection.Close();
        };
        Peer peer = Connect();
        peer.Send("0123456789"u8);
        peer.EndOutput();
        RunUntilClosed();

        Assert.That(completed, Is.EqualTo(Enumerable.Repeat(false, 10)));
        Assert.That(completedAtEnd, Is.True);
    }

    [Test]
    public void Frame_InManySegments_IsSeenWhole()
    {
        byte[] frame = new byte[500_000];
        new Random(5).NextBytes(frame);
        byte[]? got = null;
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                if (result.Buffer.Length < frame.Length)
                {
                    connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                    return;
                }

                got = result.Buffer.ToArray();
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        };
        Peer peer = Connect();
        var sending = Task.Run(() => peer.Send(frame));
        RunUntil(() => got is not null, "a frame above the pause threshold and below the limit");
        RunUntil(sending);

        Assert.That(got.AsSpan().SequenceEqual(frame));
        Assert.That(Reactor.Buffers.Outstanding, Is.Zero);
    }

    [Test]
    public void UnexaminedInput_PausesReceiving_AndGoesOnWhenItIsRead()
    {
        Handler.Readable = static _ => { };
        Peer peer = Connect();
        peer.Socket.Blocking = false;
        long sent = SendUntilStuck(peer);
        Assert.That(
            Connection.Statistics.BytesReceived, Is.InRange(64 * 1024, 192 * 1024), "the threshold and one receive");
        Assert.That(sent, Is.GreaterThan(Connection.Statistics.BytesReceived));

        Handler.Readable = null;
        Handler.Received.AddRange(ScriptedHandler.ReadAll(Connection));
        RunUntil(() => Handler.Received.Count == sent, "all that was sent");
    }

    [Test]
    public void NewHandler_IsOfferedWhatTheOldOneDidNotLookAt()
    {
        Handler.Readable = static _ => { };
        Peer peer = Connect();
        peer.Send("abc"u8);
        RunUntil(() => Handler.Events.Contains("OnReadable"));
        var next = new ScriptedHandler();
        Connection.Handler = next;

        RunUntil(() => next.Received.Count == 3, "the bytes are offered again");
        Connection.Handler = Handler;
        RunSome();
        Assert.That(Handler.Events.Count(static name => name == "OnReadable"), Is.EqualTo(1), "nothing is left");
    }

    [Test]
    public void UnconsumedInputOverTheLimit_Closes()
    {
        Handler.Readable = ScriptedHandler.ExamineAll;
        Peer peer = Connect(new ConnectionOptions { MaxInputBytes = 100_000 });
        peer.Socket.Blocking = false;
        SendUntilStuck(peer, () => Handler.IsClosed);

        CloseReason reason = RunUntilClosed();
        Assert.That(reason.Kind, Is.EqualTo(CloseKind.LimitExceeded));
        Assert.That(reason.Error!.Message, Does.Contain("MaxInputBytes"));
    }

    [Test]
    public void PausedReading_DeliversNothing_AndResumingOffersItAgain()
    {
        Handler.Readable = connection =>
        {
            if (Handler.Events.Count(static name => name == "OnReadable") == 1)
            {
                connection.PauseReading();
                return;
            }

            Handler.Received.AddRange(ScriptedHandler.ReadAll(connection));
        };
        Peer peer = Connect();
        peer.Send("one"u8);
        RunUntil(() => CountOnReadable() == 1);
        peer.Send("two"u8);
        RunSome();
        Assert.That(CountOnReadable(), Is.EqualTo(1));

        Connection.ResumeReading();
        Assert.That(CountOnReadable(), Is.EqualTo(1), "not inside the call");
        RunUntil(() => Handler.Received.Count == 6);
    }

    [Test]
    public void NothingIsDelivered_AfterClose()
    {
        Handler.Readable = static connection =>
        {
            connection.TryWrite("bye"u8);
            connection.Close();
        };
        Peer peer = Connect();
        peer.Send("one"u8);
        RunUntil(() => Connection.State == ConnectionState.Closing);
        peer.Send("two"u8);
        peer.EndOutput();
        RunUntilClosed();

        Assert.That(Handler.Events, Is.EqualTo(new[] { "OnConnected", "OnReadable", "OnClosed" }));
    }

    [Test]
    public void PendingRead_IsServed_InsteadOfOnReadable()
    {
        Peer peer = Connect();
        Task<ReadResult> read = Connection.Input.ReadAsync().AsTask();
        peer.Send("hello"u8);
        ReadResult result = RunUntil(read);

        Assert.That(result.Buffer.ToArray(), Is.EqualTo("hello"u8.ToArray()));
        Assert.That(CountOnReadable(), Is.Zero);
        Connection.Input.AdvanceTo(result.Buffer.End);
        peer.Send("x"u8);
        RunUntil(() => CountOnReadable() == 1);
    }

    [Test]
    public void CompletedInput_IsDiscarded_AndTheEndStillShows()
    {
        Peer peer = Connect();
        Connection.Input.Complete();
        var sending = Task.Run(() =>
        {
            peer.Send(new byte[5_000_000]);
            peer.EndOutput();
        });

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerClosed));
        RunUntil(sending);
        Assert.That(CountOnReadable(), Is.Zero);
        Assert.That(Connection.Statistics.BytesReceived, Is.EqualTo(5_000_000));
    }

    [Test]
    public void CompletedWithAnError_Aborts()
    {
        var error = new InvalidDataException("why");
        Connect();
        Connection.Input.Complete(error);

        CloseReason reason = RunUntilClosed();
        Assert.That((reason.Kind, reason.Error), Is.EqualTo((CloseKind.Aborted, (Exception)error)));
    }

    [Test]
    public void AnotherHandler_IsOfferedWhatTheFirstLeft()
    {
        var second = new ScriptedHandler();
        Handler.Readable = connection =>
        {
            connection.Input.TryRead(out ReadResult result);
            SequencePosition next = result.Buffer.GetPosition(2);
            connection.Input.AdvanceTo(next, next);
            connection.Handler = second;
        };
        Peer peer = Connect();
        peer.Send("1\nrest"u8);
        RunUntil(() => second.Received.Count == 4);
        peer.Dispose();
        RunUntil(() => second.IsClosed);

        Assert.That(Handler.Events, Is.EqualTo(new[] { "OnConnected", "OnReadable" }));
        Assert.That(second.Events, Is.EqualTo(new[] { "OnReadable", "OnInputEnded", "OnClosed" }));
    }

    private int CountOnReadable() => Handler.Events.Count(static name => name == "OnReadable");

    private long SendUntilStuck(Peer peer, Func<bool>? until = null)
    {
        byte[] chunk = new byte[50_000];
        long sent = 0;
        for (int quiet = 0; quiet < 20 && until?.Invoke() != true;)
        {
            int count = peer.Socket.Send(chunk, System.Net.Sockets.SocketFlags.None, out _);
            sent += count;
            quiet = count == 0 ? quiet + 1 : 0;
            Reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }

        return sent;
    }
}
