using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.SignalR;

namespace SelectReactor.Web;

/// <summary>The SignalR hub of the site.</summary>
[SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "SignalR calls instance methods.")]
internal sealed class EchoHub : Hub
{
    public string Echo(string text) => text;

    public string? TransportName() =>
        Context.Features.Get<IHttpTransportFeature>()?.TransportType.ToString();

    public Task SendToAll(string text) => Clients.All.SendAsync("Said", text);

    /// <summary>Asks the caller, while it waits for this method's answer.</summary>
    public async Task<string> AskBack(string question) =>
        await Clients.Caller.InvokeAsync<string>("Asked", question, Context.ConnectionAborted);

    public async IAsyncEnumerable<int> Count(int count, [EnumeratorCancellation] CancellationToken aborted)
    {
        for (int i = 1; i <= count; i++)
        {
            await Task.Yield();
            aborted.ThrowIfCancellationRequested();
            yield return i;
        }
    }

    public async Task<long> Sum(IAsyncEnumerable<int> numbers)
    {
        long sum = 0;
        await foreach (int number in numbers)
        {
            sum += number;
        }

        return sum;
    }
}
