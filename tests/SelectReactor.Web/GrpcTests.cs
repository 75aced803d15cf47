using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using SelectReactor.Web.Grpc;

namespace SelectReactor.Web;

/// <summary>gRPC, with TLS and without.</summary>
public sealed class GrpcTests(Transport transport) : WebFixture(transport)
{
    private const int Large = 10_000_000;

    [Test]
    public async Task UnaryCalls_AreAnswered([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        var client = new Echo.EchoClient(channel);
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 100 }, async (i, _) =>
        {
            Message sent = MessageOf(i);
            using AsyncUnaryCall<Message> call = client.UnaryAsync(sent, cancellationToken: Bound);
            Assert.That(await call, Is.EqualTo(sent));
            Assert.That(call.GetTrailers().GetValue("length"), Is.EqualTo($"{i}"));
        });
    }

    [Test]
    public async Task ALargeMessage_ComesBackWhole([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        Message sent = MessageOf(Large);

        Message back = await new Echo.EchoClient(channel).UnaryAsync(sent, cancellationToken: Bound);

        Assert.That(back.Content.Span.SequenceEqual(sent.Content.Span));
    }

    [Test]
    public async Task AStreamFromTheClient_IsReadToItsEnd([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        using AsyncClientStreamingCall<Number, Number> call =
            new Echo.EchoClient(channel).Sum(cancellationToken: Bound);
        for (int i = 1; i <= 10_000; i++)
        {
            await call.RequestStream.WriteAsync(new Number { Value = i }, Bound);
        }

        await call.RequestStream.CompleteAsync();

        Assert.That((await call).Value, Is.EqualTo(10_000L * 10_001 / 2));
    }

    [Test]
    public async Task AStreamFromTheServer_IsReadToItsEnd([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        using AsyncServerStreamingCall<Number> call =
            new Echo.EchoClient(channel).Count(new Number { Value = 10_000 }, cancellationToken: Bound);
        long last = 0;
        while (await call.ResponseStream.MoveNext(Bound))
        {
            Assert.That(call.ResponseStream.Current.Value, Is.EqualTo(++last));
        }

        Assert.That(last, Is.EqualTo(10_000));
    }

    [Test]
    public async Task ADialogue_GoesMessageByMessage([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        using AsyncDuplexStreamingCall<Message, Message> call =
            new Echo.EchoClient(channel).Chat(cancellationToken: Bound);
        for (int i = 0; i < 1000; i++)
        {
            await call.RequestStream.WriteAsync(MessageOf(i), Bound);
            Assert.That(await call.ResponseStream.MoveNext(Bound));
            Assert.That(call.ResponseStream.Current, Is.EqualTo(MessageOf(i)));
        }

        await call.RequestStream.CompleteAsync();
        Assert.That(await call.ResponseStream.MoveNext(Bound), Is.False);
    }

    // The client writes on while it does not read: the flow control of both directions has to hold.
    [Test]
    public async Task ADialogue_OfLargeMessages_BothWaysAtOnce([Values] bool isSecure)
    {
        const int Count = 100;
        using GrpcChannel channel = CreateChannel(isSecure);
        using AsyncDuplexStreamingCall<Message, Message> call =
            new Echo.EchoClient(channel).Chat(cancellationToken: Bound);
        Message message = MessageOf(200_000);
        var writing = Task.Run(async () =>
        {
            for (int i = 0; i < Count; i++)
            {
                await call.RequestStream.WriteAsync(message, Bound);
            }

            await call.RequestStream.CompleteAsync();
        });
        int count = 0;
        while (await call.ResponseStream.MoveNext(Bound))
        {
            Assert.That(call.ResponseStream.Current.Content.Span.SequenceEqual(message.Content.Span));
            count++;
        }

        await writing;
        Assert.That(count, Is.EqualTo(Count));
    }

    [Test]
    public async Task ADeadline_EndsTheCallOnBothSides([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        using AsyncUnaryCall<Message> call = new Echo.EchoClient(channel).WaitAsync(
            new Message(), deadline: DateTime.UtcNow.AddSeconds(1), cancellationToken: Bound);
        PendingRequest request = await Server.Pending.TakeAsync(Bound);

        RpcException? exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.That(exception?.StatusCode, Is.EqualTo(StatusCode.DeadlineExceeded));
        await request.Aborted.WaitAsync(Bound);
    }

    [Test]
    public async Task ACancellation_EndsTheCallOnBothSides([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        using var cancelled = new CancellationTokenSource();
        var client = new Echo.EchoClient(channel);
        using AsyncUnaryCall<Message> call = client.WaitAsync(new Message(), cancellationToken: cancelled.Token);
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        await cancelled.CancelAsync();

        RpcException? exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.That(exception?.StatusCode, Is.EqualTo(StatusCode.Cancelled));
        await request.Aborted.WaitAsync(Bound);
        Assert.That(await client.UnaryAsync(MessageOf(3), cancellationToken: Bound), Is.EqualTo(MessageOf(3)));
    }

    [Test]
    public async Task AStreamThatTheClientLeaves_Ends([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        using (AsyncServerStreamingCall<Number> call = new Echo.EchoClient(channel).Count(
            new Number { Value = long.MaxValue }, cancellationToken: Bound))
        {
            for (int i = 0; i < 100; i++)
            {
                Assert.That(await call.ResponseStream.MoveNext(Bound));
            }
        }

        Assert.That(
            await new Echo.EchoClient(channel).UnaryAsync(MessageOf(3), cancellationToken: Bound),
            Is.EqualTo(MessageOf(3)));
    }

    [Test]
    public async Task ACallThatIsUnknown_IsRefused([Values] bool isSecure)
    {
        using GrpcChannel channel = CreateChannel(isSecure);
        var unknown = new Method<Message, Message>(
            MethodType.Unary,
            "selectreactor.web.Echo",
            "Unknown",
            Marshallers.Create(message => message.ToByteArray(), Message.Parser.ParseFrom),
            Marshallers.Create(message => message.ToByteArray(), Message.Parser.ParseFrom));
        using AsyncUnaryCall<Message> call = channel.CreateCallInvoker()
            .AsyncUnaryCall(unknown, null, new CallOptions(cancellationToken: Bound), new Message());

        RpcException? exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.That(exception?.StatusCode, Is.EqualTo(StatusCode.Unimplemented));
    }

    private static Message MessageOf(int length) =>
        new() { Content = ByteString.CopyFrom(Pattern.Bytes(length)) };

    private GrpcChannel CreateChannel(bool isSecure) => GrpcChannel.ForAddress(
        isSecure ? Server.Https : Server.Http2,
        new GrpcChannelOptions
        {
            HttpHandler = CreateHandler(),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = null,
        });
}
