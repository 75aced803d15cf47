using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Common mistakes of handlers: they cost that connection at most, and the loop goes on.</summary>
public sealed class MisuseTests(SelectorKind selector) : ConnectionFixture(selector)
{
    [Test]
    public void AReaderThatForgetsTheExaminedPosition_LosesItsConnection_AndStopsNobodyElse([Values] bool awaits)
    {
        var handler = new Serving(async connection =>
        {
            while (true)
            {
                ReadResult result;
                if (awaits)
                {
                    result = await connection.Input.ReadAsync();
                }
                else
                {
                    while (!connection.Input.TryRead(out result))
                    {
                        await Task.Yield();
                    }
                }

                connection.Input.AdvanceTo(result.Buffer.Start);
            }
        });
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        Peer other = Connect();
        peer.Send("half"u8);
        RunUntil(() => handler.Connection is { State: ConnectionState.Closed });

        Exception error = handler.Connection!.Completion.Result.Error!;
        Assert.That(error.Message, Does.Contain("examined position"));
        other.Send("alive"u8);
        RunUntil(() => Handler.Received.Count == 5);
    }

    [Test]
    public void AReadAwaitedTwice_FailsInTheSecondAwait_AndEndsNothing()
    {
        Exception? second = null;
        var handler = new Serving(async connection =>
        {
            ValueTask<ReadResult> read = connection.Input.ReadAsync();
            Task<ReadResult> first = read.AsTask();
            try
            {
                await read;
            }
            catch (InvalidOperationException exception)
            {
                second = exception;
            }

            ReadResult result = await first;
            connection.Output.Write(result.Buffer.ToArray());
        });
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => second is not null);
        peer.Send("x"u8);

        Assert.That(RunBeside(peer.ReceiveToEnd), Is.EqualTo("x"u8.ToArray()));
    }

    [Test]
    public void APositionInOtherMemory_IsRefused()
    {
        Exception? error = null;
        Handler.Readable = connection =>
        {
            connection.Input.TryRead(out ReadResult result);
            var copy = new ReadOnlySequence<byte>(result.Buffer.ToArray());
            error = Assert.Catch(() => connection.Input.AdvanceTo(copy.End));
            connection.Input.AdvanceTo(result.Buffer.End);
        };
        Connect().Send("x"u8);
        RunUntil(() => error is not null);

        Assert.That(error, Is.InstanceOf<InvalidOperationException>());
    }

    [Test]
    public void ALargeFrame_ArrivesWhole_ThoughTheHandlerNamesNoExaminedPosition()
    {
        const int Frame = 300_000;
        Handler.Readable = connection =>
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                bool isWhole = result.Buffer.Length >= Frame;
                connection.Input.AdvanceTo(isWhole ? result.Buffer.End : result.Buffer.Start);
                connection.Output.Write(isWhole ? "whole"u8 : default);
            }
        };
        Peer peer = Connect();

        Assert.That(RunBeside(() =>
        {
            peer.Send(new byte[Frame]);
            return peer.Receive(5);
        }), Is.EqualTo("whole"u8.ToArray()));
    }

    [Test]
    public void OneWriteLargerThanTheLimit_IsWrittenPieceByPiece()
    {
        byte[] bytes = new byte[5_000_000];
        new Random(6).NextBytes(bytes);
        var handler = new Serving(async connection => await connection.Output.WriteAsync(bytes));
        var options = new ConnectionOptions { MaxOutputBytes = 200_000 };
        using Listener listener = Reactor.Listen(AnyPort, handler, new ListenerOptions { Connection = options });
        using var peer = Peer.Connect(listener.LocalEndPoint);

        Assert.That(RunBeside(peer.ReceiveToEnd).AsSpan().SequenceEqual(bytes));
    }

    [Test]
    public void CompletingTheInput_EndsAReadThatWaits()
    {
        Connect();
        Task<ReadResult> read = Connection.Input.ReadAsync().AsTask();
        Connection.Input.Complete();

        Assert.That(() => RunUntil(read), Throws.InvalidOperationException);
    }
}

/// <summary>An asynchronous handler made of one method.</summary>
internal sealed class Serving(Func<Connection, Task> serve) : AsyncConnectionHandler
{
    public Connection? Connection { get; private set; }

    protected override Task ServeAsync(Connection connection, CancellationToken closed)
    {
        Connection = connection;
        return serve(connection);
    }
}
