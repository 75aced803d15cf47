using System.Net.Http;
using System.Text;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>The framework's HTTP client over streams of the reactor: it uses them on the loop and on threads of the
/// pool, as it likes.</summary>
public sealed class ConnectionStreamHttpTests(SelectorKind selector) : StreamFixture(selector)
{
    private const string Body = "a body of some length, ";

    [Test]
    public void HttpClient_KeepsItsConnectionAlive([Values] bool onLoop, [Values] bool configured)
    {
        var server = new ServeHandler(ServeAsync);
        using Listener listener = Reactor.Listen(AnyPort, server);
        using var sockets = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                Connection connection = await Reactor.ConnectAsync(listener.LocalEndPoint, cancellationToken)
                    .ConfigureAwait(false);
                return connection.AsStream();
            },
        };
        using var client = new HttpClient(sockets);
        if (onLoop)
        {
            RunOnLoop(AskAsync);
        }
        else
        {
            RunUntil(Task.Run(AskAsync));
        }

        Assert.That(server.Tasks, Has.Count.EqualTo(1), "connections");
        sockets.Dispose();
        RunUntil(() => server.IsClosed, "the client's end");

        async Task AskAsync()
        {
            for (int i = 1; i <= 20; i++)
            {
                string answer = await client.GetStringAsync($"http://server/{i * 1000}").ConfigureAwait(configured);
                Assert.That(answer, Is.EqualTo(string.Concat(Enumerable.Repeat(Body, i * 1000))));
            }
        }
    }

    private static async Task ServeAsync(Connection connection)
    {
        Stream stream = connection.AsStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } request)
        {
            while (await reader.ReadLineAsync().ConfigureAwait(false) is { Length: > 0 })
            {
            }

            int count = int.Parse(request.Split('/', ' ')[2], System.Globalization.CultureInfo.InvariantCulture);
            string body = string.Concat(Enumerable.Repeat(Body, count));
            string answer = $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer)).ConfigureAwait(false);
        }
    }
}
