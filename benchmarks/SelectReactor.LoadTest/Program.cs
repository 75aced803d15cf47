using System.CommandLine;
using SelectReactor.LoadTest;

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("The load test runs on Linux only: its generator uses epoll, and taskset pins it to a core.");
    return 1;
}

try
{
    // The errors that have a line of their own are caught below; a bug shows its whole stack.
    var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
    return await Commands.Create().Parse(args).InvokeAsync(configuration);
}
catch (Exception error) when (error is LoadTestException or ServerStartException)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Interrupted.");
    return 130;
}
