using Google.Protobuf;
using Grpc.Core;
using SelectReactor.Web.Grpc;

namespace SelectReactor.Web;

/// <summary>The gRPC service of the site.</summary>
internal sealed class EchoService(Pending pending) : Echo.EchoBase
{
    public override Task<Message> Unary(Message request, ServerCallContext context)
    {
        context.ResponseTrailers.Add("length", $"{request.Content.Length}");
        return Task.FromResult(request);
    }

    public override async Task<Number> Sum(IAsyncStreamReader<Number> requests, ServerCallContext context)
    {
        long sum = 0;
        while (await requests.MoveNext(context.CancellationToken))
        {
            sum += requests.Current.Value;
        }

        return new Number { Value = sum };
    }

    public override async Task Count(
        Number request, IServerStreamWriter<Number> responses, ServerCallContext context)
    {
        try
        {
            for (long i = 1; i <= request.Value; i++)
            {
                await responses.WriteAsync(new Number { Value = i }, context.CancellationToken);
            }
        }
        catch (InvalidOperationException)
        {
            // The client has gone between the writer's look at the token and its write.
        }
    }

    public override async Task Chat(
        IAsyncStreamReader<Message> requests, IServerStreamWriter<Message> responses, ServerCallContext context)
    {
        while (await requests.MoveNext(context.CancellationToken))
        {
            await responses.WriteAsync(requests.Current, context.CancellationToken);
        }
    }

    public override async Task<Message> Wait(Message request, ServerCallContext context) =>
        new() { Content = ByteString.CopyFromUtf8(await pending.WaitAsync(context.CancellationToken)) };
}
