using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>One handler, or one style of reading, takes over from another on the same connection.</summary>
public sealed class TakeOverTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void AnAsynchronousHandler_StartsWhenItTakesOver()
    {
        var next = new Serving(static async connection =>
        {
            ReadResult result = await connection.Input.ReadAsync();
            connection.Output.Write(result.Buffer.ToArray());
            connection.Input.AdvanceTo(result.Buffer.End);
        });
        Handler.Readable = connection =>
        {
            connection.Input.TryRead(out ReadResult result);
            connection.Input.AdvanceTo(result.Buffer.GetPosition(1));
            connection.Handler = next;
        };
        Peer peer = Connect();
        peer.Send("!upgraded"u8);

        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("upgraded"u8.ToArray()));
    }

    [Test]
    public void AHandlerThatTakesOverWhilePaused_IsOfferedTheInputBeforeTheEnd()
    {
        var next = new ScriptedHandler();
        Handler.Readable = ScriptedHandler.ExamineAll;
        Handler.InputEnded = connection =>
        {
            connection.PauseReading();
            connection.Handler = next;
        };
        Peer peer = Connect();
        peer.Send("input"u8);
        peer.EndOutput();
        RunUntil(() => Handler.Events.Contains("OnInputEnded"));
        RunSome();
        Assert.That(next.Events, Is.Empty);
        Connection.Input.TryRead(out ReadResult result);
        Connection.Input.AdvanceTo(result.Buffer.Start);
        Connection.ResumeReading();
        RunUntil(() => next.IsClosed);

        Assert.That(next.Received, Has.Count.EqualTo(5));
        Assert.That(next.Events, Is.EqualTo(new[] { "OnReadable", "OnInputEnded", "OnClosed" }));
    }

    [Test]
    public void BytesThatAnAwaitedReadLeaves_AreOfferedToOnReadable()
    {
        Handler.Connected = static connection => _ = ReadHeadAsync(connection);
        Peer peer = Connect();
        peer.Send("head and body"u8);

        RunUntil(() => Handler.Received.Count == 9, "OnReadable with the rest");

        static async Task ReadHeadAsync(Connection connection)
        {
            ReadResult result = await connection.Input.ReadAsync();
            connection.Input.AdvanceTo(result.Buffer.GetPosition(4));
        }
    }

    [Test]
    public void InputBeforeAReset_IsOffered_ThoughOurOutputHadPausedReading()
    {
        Handler.Connected = static connection => connection.TryWrite(new byte[8_000_000]);
        Peer peer = Connect();
        RunSome();
        peer.Send(new byte[1000]);
        RunSome();
        Assert.That(Handler.Received, Is.Empty, "reading is paused");
        peer.Dispose();

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerReset));
        Assert.That(Handler.Received, Has.Count.EqualTo(1000));
    }
}
