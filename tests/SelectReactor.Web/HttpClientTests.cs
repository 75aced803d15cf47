using System.Net;
using System.Net.ServerSentEvents;
using System.Threading.Channels;

namespace SelectReactor.Web;

/// <summary>.NET's HttpClient visits the site.</summary>
public sealed class HttpClientTests(Transport transport) : WebFixture(transport)
{
    private const int Large = 20_000_000;

    [Test]
    public async Task PooledConnections_ServeManyRequests([Values("http", "https", "h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            byte[] sent = Pattern.Bytes(i);
            using HttpResponseMessage response = await client.PostAsync("/echo", new ByteArrayContent(sent), Bound);
            Assert.That(Pattern.Is(await response.Content.ReadAsByteArrayAsync(Bound), i));
        });
    }

    [Test]
    public async Task ALargeDownload_ComesWhole([Values("http", "https", "h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);

        byte[] bytes = await client.GetByteArrayAsync($"/bytes/{Large}", Bound);

        Assert.That(Pattern.Is(bytes, Large));
    }

    // Both directions are full at the same time. Over HTTP/1.1, HttpClient reads only when it has sent all.
    [Test]
    public async Task ALargeEcho_ComesBackWhole([Values("h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        byte[] sent = Pattern.Bytes(Large);
        using HttpRequestMessage request = CreateEcho(stream => stream.WriteAsync(sent, Bound).AsTask());
        using HttpResponseMessage response = await client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, Bound);

        Assert.That(Pattern.Is(await response.Content.ReadAsByteArrayAsync(Bound), Large));
    }

    [Test]
    public async Task ACancelledRequest_IsAbortedOnTheServer([Values("http", "https", "h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        using var cancelled = new CancellationTokenSource();
        Task<string> answer = client.GetStringAsync("/wait", cancelled.Token);
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        await cancelled.CancelAsync();

        Assert.That(async () => await answer.WaitAsync(Bound), Throws.InstanceOf<OperationCanceledException>());
        await request.Aborted.WaitAsync(Bound);
        Assert.That(await client.GetStringAsync("/hello", Bound), Is.EqualTo("hello"));
    }

    [Test]
    public async Task ManyCancelledRequests_HarmNoOther([Values("http", "https", "h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (i, _) =>
        {
            using HttpResponseMessage response = await client.GetAsync(
                "/bytes/10000000", HttpCompletionOption.ResponseHeadersRead, Bound);
            await using Stream body = await response.Content.ReadAsStreamAsync(Bound);
            byte[] start = new byte[i * 100];
            await body.ReadExactlyAsync(start, Bound);
            Assert.That(Pattern.Is(start, start.Length));
        });

        Assert.That(await client.GetStringAsync("/hello", Bound), Is.EqualTo("hello"));
    }

    [Test]
    public async Task LongPolling_ManyRequestsWait([Values("http", "https", "h2", "h2c")] string scheme)
    {
        const int Count = 50;
        using HttpClient client = CreateClient(scheme);
        Task<string>[] answers = [.. Enumerable.Range(0, Count).Select(_ => client.GetStringAsync("/wait", Bound))];
        PendingRequest[] requests = await Server.Pending.TakeAsync(Count, Bound);
        for (int i = 0; i < Count; i++)
        {
            requests[i].Answer($"answer {i}");
        }

        Assert.That(
            await Task.WhenAll(answers), Is.EquivalentTo(Enumerable.Range(0, Count).Select(i => $"answer {i}")));
    }

    [Test]
    public async Task AnAbortedResponse_Throws([Values("http", "https", "h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);

        Assert.That(
            async () => await client.GetStringAsync("/abort", Bound), Throws.InstanceOf<HttpRequestException>());
        Assert.That(await client.GetStringAsync("/hello", Bound), Is.EqualTo("hello"));
    }

    [Test]
    public async Task ARefusedUpload_IsAnsweredBeforeItsEnd([Values("http", "https", "h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/refuse")
        {
            Content = new ByteArrayContent(Pattern.Bytes(Large)),
            Version = client.DefaultRequestVersion,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.ExpectContinue = true;
        using HttpResponseMessage response = await client.SendAsync(request, Bound);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
    }

    [Test]
    public async Task ServerSentEvents_AreParsed([Values("http", "https", "h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        await using Stream stream = await client.GetStreamAsync("/events?count=1000", Bound);
        List<string> events = [];
        await foreach (SseItem<string> item in SseParser.Create(stream).EnumerateAsync(Bound))
        {
            events.Add(item.Data);
        }

        Assert.That(events, Is.EqualTo(Enumerable.Range(1, 1000).Select(i => $"{i}")).AsCollection);
    }

    // The stream of events has no end: the client's departure ends it.
    [Test]
    public async Task ServerSentEvents_EndWithTheClient([Values("http", "https", "h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        await using Stream stream = await client.GetStreamAsync($"/events?count={int.MaxValue}", Bound);
        int count = 0;
        await foreach (SseItem<string> item in SseParser.Create(stream).EnumerateAsync(Bound))
        {
            if (++count == 100)
            {
                break;
            }
        }

        Assert.That(count, Is.EqualTo(100));
    }

    [Test]
    public async Task Trailers_FollowTheBody([Values("h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        using HttpResponseMessage response = await client.GetAsync("/trailers", Bound);

        Assert.That(await response.Content.ReadAsStringAsync(Bound), Is.EqualTo("body"));
        Assert.That(
            response.TrailingHeaders.TryGetValues("X-Checksum", out IEnumerable<string>? values)
                ? values.Single() : null,
            Is.EqualTo("42"));
    }

    [Test]
    public async Task AnEcho_ComesBackPieceByPiece([Values("h2", "h2c")] string scheme)
    {
        using HttpClient client = CreateClient(scheme);
        var pieces = Channel.CreateUnbounded<byte[]>();
        using HttpRequestMessage request = CreateEcho(async stream =>
        {
            await foreach (byte[] piece in pieces.Reader.ReadAllAsync(Bound))
            {
                await stream.WriteAsync(piece, Bound);
                await stream.FlushAsync(Bound);
            }
        });
        pieces.Writer.TryWrite("first"u8.ToArray());
        using HttpResponseMessage response = await client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, Bound);
        await using Stream body = await response.Content.ReadAsStreamAsync(Bound);
        byte[] back = new byte[5];
        await body.ReadExactlyAsync(back, Bound);
        Assert.That(back, Is.EqualTo("first"u8.ToArray()).AsCollection);
        pieces.Writer.TryWrite("again"u8.ToArray());
        await body.ReadExactlyAsync(back, Bound);
        Assert.That(back, Is.EqualTo("again"u8.ToArray()).AsCollection);
        pieces.Writer.Complete();

        Assert.That(await body.ReadAsync(back, Bound), Is.Zero);
    }

    private static HttpRequestMessage CreateEcho(Func<Stream, Task> write) => new(HttpMethod.Post, "/echo")
    {
        Content = new WrittenContent(write),
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private HttpClient CreateClient(string scheme) => scheme switch
    {
        "http" => CreateClient(Server.Http),
        "https" => CreateClient(Server.Https),
        "h2" => CreateClient(Server.Https, HttpVersion.Version20),
        "h2c" => CreateClient(Server.Http2),
        _ => throw new ArgumentOutOfRangeException(nameof(scheme)),
    };

    /// <summary>A body that is written while the response is read; HttpClient allows it for contents that it does not
    /// know.</summary>
    private sealed class WrittenContent(Func<Stream, Task> write) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => write(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
