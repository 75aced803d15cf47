using System.Net;

// dotnet run --project Application.1 -- hello world: asks the server each word, and prints the answers.
using var reactor = new SelectReactor.Reactor();
reactor.Run(async () =>
{
    await using var client = new ApplicationNamespace.MessageClient(reactor, new DnsEndPoint("localhost", 7007));
    client.AttemptFailed += failed => Console.Error.WriteLine($"{failed.Error.Message} Trying again.");

    // All are asked at once; the answers come in the same order.
    Task<string>[] answers = [.. args.Select(question => client.AskAsync(question))];
    foreach (Task<string> answer in answers)
    {
        Console.WriteLine(await answer);
    }
});
