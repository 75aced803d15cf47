using System.Net.Sockets;

namespace SelectReactor.Web;

/// <summary>Clients that write HTTP by hand, badly or only in part.</summary>
public sealed class HostilePeerTests(Transport transport) : WebFixture(transport)
{
    private const string Get = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private const string BeginOfUpload =
        "POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc";


    [TestCase("%00%01%02%03 garbage\r\n\r\n")]
    [TestCase("hello\r\n\r\n")]
    [TestCase("GET /\r\n")]
    [TestCase("GET / HTTP/9.9\r\nHost: localhost\r\n\r\n")]
    [TestCase("GET / HTTP/1.1\r\n\r\n")]
    [TestCase("POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n")]
    public async Task Garbage_IsRefused(string garbage)
    {
        using RawClient client = await ConnectAsync();
        // The runner drops cases with a NUL in their names.
        await client.SendAsync(Uri.UnescapeDataString(garbage), Bound);

        string answer = await client.ReadToAnyEndAsync(Bound);
        Assert.That(answer, Does.StartWith("HTTP/1.1 400 ").Or.StartWith("HTTP/1.1 505 ").Or.Empty);
    }

    // HTTP/1.1 on a port for HTTP/2, and the other way round.
    [Test]
    public async Task TheWrongProtocol_IsRefused()
    {
        using RawClient first = await RawClient.ConnectAsync(Server.Http2, Bound);
        await first.SendAsync(Get, Bound);
        Assert.That(await first.ReadToAnyEndAsync(Bound), Does.Not.Contain("hello"));

        using RawClient second = await ConnectAsync();
        await second.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Bound);
        Assert.That(await second.ReadToAnyEndAsync(Bound), Does.Not.Contain("hello"));
    }

    [Test]
    public async Task ARequestByteByByte_IsAnswered()
    {
        using RawClient client = await ConnectAsync();
        foreach (char character in Get)
        {
            await client.SendAsync($"{character}", Bound);
        }

        Assert.That(await client.ReadUntilAsync("hello\r\n0\r\n\r\n", Bound), Does.StartWith("HTTP/1.1 200 OK"));
    }

    [Test]
    public async Task ChunksAndTrailers_AreRead()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync(
            "POST /trailers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n"
            + "5\r\nhello\r\n",
            Bound);
        await client.SendAsync("6\r\n world\r\n0\r\nX-Checksum: 4711\r\n\r\n", Bound);

        Assert.That(await client.ReadUntilAsync("0\r\n\r\n", Bound), Does.Contain("4711"));
    }

    [Test]
    public async Task AnEcho_ComesBackChunkByChunk()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", Bound);
        await client.ReadUntilAsync("first\r\n", Bound);
        await client.SendAsync("5\r\nagain\r\n", Bound);
        await client.ReadUntilAsync("again\r\n", Bound);
        await client.SendAsync("0\r\n\r\n", Bound);

        Assert.That(await client.ReadUntilAsync("0\r\n\r\n", Bound), Is.EqualTo("0\r\n\r\n"));
    }

    [Test]
    public async Task PipelinedRequests_AreAnsweredInOrder()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync(
            string.Concat(Enumerable.Range(0, 100).Select(i =>
                $"GET /header?name=X-Number HTTP/1.1\r\nHost: localhost\r\nX-Number: <{i}>\r\n"
                + $"{(i == 99 ? "Connection: close\r\n" : "")}\r\n")),
            Bound);
        string answers = await client.ReadToEndAsync(Bound);

        Assert.That(
            answers.Split('<').Skip(1).Select(text => text[..text.IndexOf('>', StringComparison.Ordinal)]),
            Is.EqualTo(Enumerable.Range(0, 100).Select(i => $"{i}")).AsCollection);
    }

    // A whole request and the end of the stream may come together: the server answers, or has noticed the end first.
    [Test]
    public async Task ARequestWithFin_EndsProperly()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync(Get, Bound);
        client.Socket.Shutdown(SocketShutdown.Send);

        Assert.That(await client.ReadToAnyEndAsync(Bound), Does.StartWith("HTTP/1.1 200 OK").Or.Empty);
    }

    [Test]
    public async Task AFinOnAnIdleConnection_IsAnsweredByFin([Values("http", "h2c")] string scheme)
    {
        // In HTTP/2: the preface with an empty SETTINGS frame, and its acknowledgement.
        (string request, string answer) = scheme == "http"
            ? (Get, "hello\r\n0\r\n\r\n")
            : ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "\0\0\0\x04\x01\0\0\0\0");
        // Kestrel aborts such a connection and completes it at the same time: either may come first.
        for (int i = 0; i < 100; i++)
        {
            using RawClient client = await RawClient.ConnectAsync(
                scheme == "http" ? Server.Http : Server.Http2, Bound);
            await client.SendAsync(request, Bound);
            await client.ReadUntilAsync(answer, Bound);
            client.Socket.Shutdown(SocketShutdown.Send);

            Assert.That(async () => await client.ReadToEndAsync(Bound), Throws.Nothing);
        }
    }

    [TestCase("GET /hel", Description = "in the request line")]
    [TestCase("GET /hello HTTP/1.1\r\nHost: loc", Description = "in the headers")]
    [TestCase(BeginOfUpload, Description = "in the body")]
    [TestCase(Get, Description = "after the request")]
    [TestCase("GET /bytes/100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n", Description = "in the response")]
    public async Task AReset_HarmsNobody(string start)
    {
        for (int i = 0; i < 100; i++)
        {
            using RawClient client = await ConnectAsync();
            await client.SendAsync(start, Bound);
            client.Reset();
        }

        await AssertServesAsync();
    }

    [TestCase("GET /hel")]
    [TestCase(BeginOfUpload)]
    public async Task AFinInTheMiddle_EndsTheConnection(string start)
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync(start, Bound);
        client.Socket.Shutdown(SocketShutdown.Send);

        await client.ReadToAnyEndAsync(Bound);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task AClientThatGoes_AbortsItsRequest(bool isReset)
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n", Bound);
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        if (isReset)
        {
            client.Reset();
        }
        else
        {
            client.Socket.Shutdown(SocketShutdown.Send);
        }

        await request.Aborted.WaitAsync(Bound);
    }

    // The client sends the rest of its body, which nobody reads, and goes.
    [Test]
    public async Task AResetBehindManyUnreadBytes_IsNoticed()
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync(
            "POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + new string('x', 100_000),
            Bound);
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        client.Reset();

        await request.Aborted.WaitAsync(Bound);
    }

    [Test]
    public async Task ManyIdleConnections_AndLoad_AreServed()
    {
        const int Count = 2000;
        List<RawClient> idle = [];
        try
        {
            for (int i = 0; i < Count; i++)
            {
                idle.Add(await ConnectAsync());
                await AssertServesAsync(idle[i]);
            }

            await Tool.OutputAsync($"h2load --h1 -n 10000 -c 50 -m 1 {Server.Http}hello");
            foreach (RawClient client in idle)
            {
                await AssertServesAsync(client);
            }
        }
        finally
        {
            idle.ForEach(client => client.Dispose());
        }
    }

    [Test]
    public async Task ManyConnectionsThatVanishTogether_AreForgotten()
    {
        List<RawClient> clients = [];
        for (int i = 0; i < 500; i++)
        {
            clients.Add(await ConnectAsync());
            await clients[i].SendAsync(BeginOfUpload, Bound);
        }

        await AwaitAsync(() => Server.Connections.Count == clients.Count, "all are connected");
        clients.ForEach(client => client.Reset());

        await AssertServesAsync();
    }

    private Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(Server.Http, Bound);

    private async Task AssertServesAsync()
    {
        using RawClient client = await ConnectAsync();
        await AssertServesAsync(client);
    }

    private async Task AssertServesAsync(RawClient client)
    {
        await client.SendAsync(Get, Bound);
        Assert.That(await client.ReadUntilAsync("hello\r\n0\r\n\r\n", Bound), Does.StartWith("HTTP/1.1 200 OK"));
    }
}
