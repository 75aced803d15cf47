using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using EchoClient;
using Microsoft.Extensions.Logging.Abstractions;
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
    CustomParser = ParsePositive,
};
var size = new Option<int?>("--size")
{
    Description = "With --count: the bytes of each message.",
    DefaultValueFactory = _ => 32,
    CustomParser = ParsePositive,
};
var timeout = new Option<int?>("--timeout")
{
    Description = "With --count: give up when nothing came back for so many seconds.",
    DefaultValueFactory = _ => 10,
    CustomParser = ParsePositive,
};
var tls = new Option<bool>("--tls")
{
    Description = "Speak TLS.",
};
var insecure = new Option<bool>("--insecure")
{
    Description = "With --tls: trust every server, such as one with a certificate of its own making.",
};

var command = new RootCommand("Sends lines from standard input to an echo server and prints what comes back.")
{
    host, port, count, size, timeout, tls, insecure,
};
host.Validators.Add(result =>
{
    if (result.GetValueOrDefault<string>() is "")
    {
        result.AddError("--host takes an address or a name.");
    }
});
command.Validators.Add(result => RequireCount(result, size));
command.Validators.Add(result => RequireCount(result, timeout));
command.Validators.Add(result =>
{
    if (result.GetValue(insecure) && !result.GetValue(tls))
    {
        result.AddError("--insecure goes with --tls only.");
    }
});
command.SetAction(arguments =>
{
    string server = arguments.GetRequiredValue(host);
    Exchange exchange = arguments.GetValue(count) is { } messages
        ? new CheckedExchange(
            messages, arguments.GetValue(size)!.Value, TimeSpan.FromSeconds(arguments.GetValue(timeout)!.Value))
        : new LineExchange(Console.OpenStandardInput(), StandardOutput.Open());
    try
    {
        int number = arguments.GetRequiredValue(port);
        EndPoint endPoint = IPAddress.TryParse(server, out IPAddress? address)
            ? new IPEndPoint(address, number)
            : new DnsEndPoint(server, number);
        Run(endPoint, exchange, arguments.GetValue(tls) ? Tls(arguments.GetValue(insecure)) : null);
        return 0;
    }
    catch (Exception error) when (StandardOutput.IsClosed(error))
    {
        return StandardOutput.ClosedExitCode;
    }
    catch (Exception error) when (error is SocketException or TimeoutException or IOException
        or AuthenticationException)
    {
        Console.Error.WriteLine(error.Message);
        return 1;
    }
});
return command.Parse(args).Invoke();

static int? ParsePositive(ArgumentResult argument)
{
    if (int.TryParse(argument.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value)
        && value > 0)
    {
        return value;
    }

    argument.AddError($"{((OptionResult)argument.Parent!).Option.Name} takes a number above 0.");
    return null;
}

void RequireCount(CommandResult result, Option option)
{
    if (result.GetResult(option) is { Implicit: false } && result.GetResult(count) is null)
    {
        result.AddError($"{option.Name} goes with --count only.");
    }
}

static TlsClientOptions Tls(bool isInsecure) => new()
{
    Configure = options => options.RemoteCertificateValidationCallback =
        isInsecure ? static (_, given, _, _) => given is not null : null,
};

static void Run(EndPoint server, Exchange exchange, TlsClientOptions? tls)
{
    // What goes wrong is told at the end, in one line.
    using var reactor = new Reactor(new ReactorOptions { Logger = NullLogger.Instance });
    reactor.Run(async () =>
    {
        Connection connection = await reactor.ConnectAsync(
            server, exchange, new ConnectOptions { Tls = tls });
        exchange.Conclude(await connection.Completion);
    });
}
