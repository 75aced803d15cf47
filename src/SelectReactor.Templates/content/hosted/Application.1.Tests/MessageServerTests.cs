namespace ApplicationNamespace.Tests;

using System.Buffers;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor;
using SelectReactor.Testing;

public class MessageServerTests
{
    // One connection in memory: no host, no socket, no thread, and a clock that the test moves.
    [Test]
    public void Messages_AreAnsweredAndCounted_WhereverThePiecesEnd([Range(1, 8)] int pieceSize)
    {
        var counter = new MessageCounter();
        using var connection = new TestConnection(new ServerHandler(counter, NullLogger<ServerHandler>.Instance));
        connection.ReceiveInPieces(Bytes("one", "two"), pieceSize);

        Assert.That(connection.TakeSent(), Is.EqualTo(Bytes("one", "two")));
        Assert.That(counter.Count, Is.EqualTo(2));
    }

    [Test]
    public void MessageThatIsTooLong_EndsTheConnection()
    {
        var handler = new ServerHandler(new MessageCounter(), NullLogger<ServerHandler>.Instance);
        using var connection = new TestConnection(handler);
        connection.Receive(Bytes(new string('x', Protocol.MaxMessageBytes + 1)));

        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.LimitExceeded));
    }

    // The whole host with the settings of appsettings.json, on a port that the system chooses.
    [Test, CancelAfter(30_000)]
    public async Task Host_ServesAClient(CancellationToken cancellationToken)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
        {
            Args = [$"--SelectReactor:Servers:{MessageServer.Name}:EndPoint=127.0.0.1:0"],
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.AddMessageServer();
        using IHost host = builder.Build();
        await host.StartAsync(cancellationToken);

        HostedReactor reactor = host.Services.GetRequiredService<HostedReactor>();
        EndPoint endPoint = reactor.GetListener(MessageServer.Name).LocalEndPoint!;
        Assert.That(await AskAsync(endPoint, "hello", cancellationToken), Is.EqualTo("hello"));
        Assert.That(host.Services.GetRequiredService<MessageCounter>().Count, Is.EqualTo(1));

        await host.StopAsync(cancellationToken);
    }

    private static async Task<string> AskAsync(EndPoint server, string question, CancellationToken cancellationToken)
    {
        using var client = new ReactorThread();
        return await client.Reactor.InvokeAsync(async () =>
        {
            await using Connection connection =
                await client.Reactor.ConnectAsync(server, cancellationToken);
            connection.Send(Protocol.Encoder, question);
            return await connection.ReadMessageAsync(Protocol.Decoder, cancellationToken);
        });
    }

    private static byte[] Bytes(params string[] messages)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (string message in messages)
        {
            Protocol.Encoder.Encode(message, bytes);
        }

        return bytes.WrittenSpan.ToArray();
    }
}
