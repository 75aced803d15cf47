using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SelectReactor.Web;

/// <summary>Chromium without a window, driven by the DevTools protocol
/// (https://chromedevtools.github.io/devtools-protocol/).</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(15);
    private readonly string _folder = Directory.CreateTempSubdirectory("reactor-browser-").FullName;
    private readonly ClientWebSocket _tools = new();
    private readonly Process _process;
    private int _lastId;

    private Browser()
    {
        // Containers run as root and have a small /dev/shm.
        _process = Tool.Start(
            $"exec chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run"
            + $" --disable-background-networking --ignore-certificate-errors --remote-debugging-port=0"
            + $" --user-data-dir={_folder} about:blank");
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static async Task<Browser> StartAsync()
    {
        var browser = new Browser();
        using var bound = new CancellationTokenSource(_bound);
        try
        {
            int port = await browser.ReadPortAsync(bound.Token);
            using var client = new HttpClient();
            JsonNode targets = JsonNode.Parse(
                await client.GetStringAsync($"http://127.0.0.1:{port}/json/list", bound.Token))!;
            JsonNode page = targets.AsArray().First(target => (string?)target!["type"] == "page")!;
            await browser._tools.ConnectAsync(new Uri((string)page["webSocketDebuggerUrl"]!), bound.Token);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a page and runs an expression in it. Returns its value, or that of its promise.</summary>
    public async Task<string?> VisitAsync(Uri page, string expression, CancellationToken bound)
    {
        await CallAsync("Page.navigate", new JsonObject { ["url"] = page.ToString() }, bound);
        return await EvaluateAsync(
            "new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))"
            + $".then(() => {expression})",
            bound);
    }

    public async Task<string?> EvaluateAsync(string expression, CancellationToken bound)
    {
        JsonNode answer = await CallAsync(
            "Runtime.evaluate",
            new JsonObject { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true },
            bound);
        return answer["exceptionDetails"] is { } details
            ? throw new InvalidOperationException(details.ToJsonString())
            : answer["result"]!["value"]?.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        _tools.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // Chromium writes the file when it listens.
    private async Task<int> ReadPortAsync(CancellationToken bound)
    {
        string file = Path.Combine(_folder, "DevToolsActivePort");
        while (true)
        {
            string[] lines = File.Exists(file) ? await File.ReadAllLinesAsync(file, bound) : [];
            if (lines.Length >= 2)
            {
                return int.Parse(lines[0], CultureInfo.InvariantCulture);
            }

            await Task.Delay(20, bound);
        }
    }

    private async Task<JsonNode> CallAsync(string method, JsonObject parameters, CancellationToken bound)
    {
        int id = ++_lastId;
        var call = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        await _tools.SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(call), WebSocketMessageType.Text, endOfMessage: true, bound);
        while (true)
        {
            JsonNode message = await ReceiveAsync(bound);
            if ((int?)message["id"] == id)
            {
                return message["result"] ?? throw new InvalidOperationException(message.ToJsonString());
            }
        }
    }

    private async Task<JsonNode> ReceiveAsync(CancellationToken bound)
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        ValueWebSocketReceiveResult received;
        do
        {
            received = await _tools.ReceiveAsync(buffer.AsMemory(), bound);
            message.Write(buffer, 0, received.Count);
        }
        while (!received.EndOfMessage);

        return JsonNode.Parse(message.ToArray())!;
    }
}
