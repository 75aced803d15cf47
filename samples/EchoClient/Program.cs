using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Net.Sockets;
using EchoClient;
using SelectReactor;

var host = new Option<string>("--host")
{
    Description = "The server's address or name.",
    DefaultValueFactory = _ => "127.0.0.1",
};
var port = new Option<ushort>("--port")
{
    Description = "The server's port.",
    DefaultValueFactory = _ => 7007,
};
var count = new Option<int?>("--count")
{
    Description = "Send this many messages instead of standard input, and check every byte that comes back.",
};
var size = new Option<int>("--size")
{
    Description = "The bytes of each such message.",
    DefaultValueFactory = _ => 32,
};
count.Validators.Add(static result => RequirePositive(result, result.GetValueOrDefault<int?>()));
size.Validators.Add(static result => RequirePositive(result, result.GetValueOrDefault<int>()));

var command = new RootCommand("Sends lines from standard input to an echo server and prints what comes back.")
{
    host, port, count, size,
};
command.SetAction(arguments =>
{
    string server = arguments.GetRequiredValue(host);
    Exchange exchange = arguments.GetValue(count) is { } messages
        ? new CheckedExchange(messages, arguments.GetValue(size))
        : new LineExchange(Console.OpenStandardInput(), Console.OpenStandardOutput());
    try
    {
        Run(Resolve(server, arguments.GetRequiredValue(port)), exchange);
        return 0;
    }
    catch (Exception error) when (error is SocketException or TimeoutException or IOException)
    {
        Console.Error.WriteLine(error.Message);
        return 1;
    }
});
return command.Parse(args).Invoke();

static void RequirePositive(OptionResult result, int? value)
{
    if (value < 1)
    {
        result.AddError($"{result.Option.Name} takes a number above 0.");
    }
}

static void Run(IPEndPoint server, Exchange exchange)
{
    using var reactor = new Reactor();
    Exception? failure = null;
    reactor.Post(async () =>
    {
        try
        {
            Connection connection = await reactor.ConnectAsync(server, exchange);
            CloseReason reason = await connection.Closed;
            exchange.Conclude(reason);
        }
        catch (Exception error)
        {
            failure = error;
        }

        reactor.Stop();
    });
    reactor.Run();
    if (failure is not null)
    {
        throw failure;
    }
}

static IPEndPoint Resolve(string host, int port)
{
    try
    {
        return new IPEndPoint(Dns.GetHostAddresses(host)[0], port);
    }
    catch (Exception error) when (error is SocketException or ArgumentException)
    {
        throw new SocketException((int)SocketError.HostNotFound, $"Can't find the host {host}: {error.Message}.");
    }
}
