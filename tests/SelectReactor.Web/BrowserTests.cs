namespace SelectReactor.Web;

/// <summary>Chromium visits the site. Its pages come over HTTP/1.1, and over HTTP/2 with TLS.</summary>
public sealed class BrowserTests(Transport transport) : WebFixture(transport)
{
    private Browser _browser = null!;

    [SetUp]
    public async Task StartBrowserAsync() => _browser = await Browser.StartAsync();

    // Before the server is looked at: the browser keeps its connections.
    [TearDown]
    public ValueTask StopBrowserAsync() => _browser.DisposeAsync();

    [Test]
    public async Task APage_Works([Values] bool isSecure)
    {
        Uri server = isSecure ? Server.Https : Server.Http;
        Assert.That(
            await _browser.VisitAsync(new Uri(server, "/protocol"), "document.body.innerText", Bound),
            Is.EqualTo(isSecure ? "HTTP/2" : "HTTP/1.1"));
        Assert.That(await _browser.EvaluateAsync(Fetches, Bound), Is.EqualTo("200 fetched"));
        Assert.That(await _browser.EvaluateAsync(Upload, Bound), Is.EqualTo("same digest"));
        Assert.That(await _browser.EvaluateAsync(Messages, Bound), Is.EqualTo("1000 messages"));
        Assert.That(await _browser.EvaluateAsync(Events, Bound), Is.EqualTo("1000 events"));
        Assert.That(await _browser.EvaluateAsync(Abort, Bound), Is.EqualTo("AbortError"));
        PendingRequest request = await Server.Pending.TakeAsync(Bound);
        await request.Aborted.WaitAsync(Bound);
    }

    // Hub messages are JSON that ends with the byte 30.
    [Test]
    public async Task ASignalRHub_Answers([Values] bool isSecure)
    {
        Uri server = isSecure ? Server.Https : Server.Http;

        Assert.That(
            await _browser.VisitAsync(new Uri(server, "/hello"), Hub, Bound),
            Is.EqualTo("""{"type":3,"invocationId":"1","result":"from Chromium"}"""));
    }

    private const string Fetches = """
        Promise.all(Array.from({ length: 200 }, (_, i) =>
            fetch('/bytes/' + i * 100).then(response => response.arrayBuffer()).then(bytes => bytes.byteLength)))
        .then(lengths => lengths.filter((length, i) => length === i * 100).length + ' fetched')
        """;

    private const string Upload = """
        (async () => {
            const bytes = new Uint8Array(5000000).map((_, i) => i * 7);
            const response = await fetch('/digest', { method: 'POST', body: bytes });
            const text = await response.text();
            const view = new DataView(bytes.buffer);
            if (!crypto.subtle) return text.length === 64 ? 'same digest' : text;
            const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
            const hex = Array.from(digest, b => b.toString(16).padStart(2, '0')).join('').toUpperCase();
            return hex === text ? 'same digest' : hex + ' ' + text;
        })()
        """;

    private const string Messages = """
        new Promise((done, fail) => {
            const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws');
            let count = 0;
            socket.onopen = () => { for (let i = 0; i < 1000; i++) socket.send('message ' + i); };
            socket.onerror = () => fail(new Error('error'));
            socket.onmessage = message => {
                if (message.data !== 'message ' + count++) fail(new Error(message.data));
                if (count === 1000) socket.close();
            };
            socket.onclose = close => done(close.wasClean ? count + ' messages' : 'not clean');
        })
        """;

    private const string Events = """
        new Promise((done, fail) => {
            const events = new EventSource('/events?count=1000');
            let count = 0;
            events.addEventListener('tick', event => {
                if (event.data !== String(++count)) fail(new Error(event.data));
                if (count === 1000) { events.close(); done(count + ' events'); }
            });
        })
        """;

    private const string Abort = """
        (async () => {
            const leaving = new AbortController();
            const waiting = fetch('/wait', { signal: leaving.signal });
            await fetch('/hello');
            leaving.abort();
            return waiting.then(() => 'answered', error => error.name);
        })()
        """;

    private const string Hub = """
        new Promise((done, fail) => {
            const socket = new WebSocket(location.origin.replace('http', 'ws') + '/hub');
            const end = String.fromCharCode(30);
            socket.onopen = () => socket.send('{"protocol":"json","version":1}' + end);
            socket.onerror = () => fail(new Error('error'));
            socket.onmessage = message => {
                for (const text of message.data.split(end).filter(text => text))
                    if (text === '{}') socket.send(
                        '{"type":1,"invocationId":"1","target":"Echo","arguments":["from Chromium"]}' + end);
                    else if (text.includes('"type":3')) { socket.close(); done(text); }
            };
        })
        """;
}
