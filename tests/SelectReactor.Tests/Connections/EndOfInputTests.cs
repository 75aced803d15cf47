using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Both directions have ended, and the reader has not come to all of its input yet.</summary>
public sealed class EndOfInputTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void EndOfBothDirections_WithInputUnread_WaitsUntilItIsRead()
    {
        Handler.Connected = static connection => connection.CloseOutput();
        Handler.Readable = static _ => { };
        Handler.InputEnded = static _ => { };
        Peer peer = Connect();
        peer.Send("late"u8);
        peer.EndOutput();
        RunUntil(() => Handler.Events.Contains("OnInputEnded"), "OnInputEnded");
        RunSome();

        Assert.That(Handler.IsClosed, Is.False, "the input is not read");
        Assert.That(ScriptedHandler.ReadAll(Connection), Is.EqualTo("late"u8.ToArray()));
        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void EndOfBothDirections_WithInputUnread_EndsAtOnceWhenTheReaderCompletes()
    {
        Handler.Connected = static connection => connection.CloseOutput();
        Handler.Readable = static _ => { };
        Handler.InputEnded = static connection => connection.Input.Complete();
        Peer peer = Connect();
        peer.Send("late"u8);
        peer.EndOutput();

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void AsyncReader_ThatClosedItsOutput_SeesAFrameThatTheEndCutShort()
    {
        var handler = new CollectingHandler();
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("cut"u8);
        RunUntil(() => handler.Seen == 3, "the first bytes");
        peer.EndOutput();

        Assert.That(RunUntil(handler.Rest.Task), Is.EqualTo("cut"u8.ToArray()));
        RunUntil(() => listener.ConnectionCount == 0, "closed");
    }

    private sealed class CollectingHandler : AsyncConnectionHandler
    {
        public long Seen { get; private set; }

        public TaskCompletionSource<byte[]> Rest { get; } = new();

        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            connection.CloseOutput();
            while (true)
            {
                ReadResult result = await connection.Input.ReadAsync();
                Seen = result.Buffer.Length;
                if (result.IsCompleted)
                {
                    Rest.SetResult(result.Buffer.ToArray());
                    return;
                }

                connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
    }
}
