using System.CommandLine;
using System.CommandLine.Invocation;
using SelectReactor.LoadTest;

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine(
        "The load test runs on Linux only: its generator uses epoll, and taskset pins it to a core.");
    return 1;
}

try
{
    ParseResult arguments = Commands.Create().Parse(args);
    if (arguments.Action is ParseErrorAction wrong)
    {
        wrong.ShowHelp = false;
    }

    // The errors that have a line of their own are caught below; a bug shows its whole stack.
    return await arguments.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception error) when (error is LoadTestException or FatalException)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Interrupted.");
    return 130;
}
