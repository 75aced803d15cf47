using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>This program once more, pinned to a core: a server or a load generator. Disposing it ends it.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private ChildProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The command that starts this program.</summary>
    public static IEnumerable<string> Itself => Environment.ProcessPath is { } program
        && Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? [program, Assembly.GetExecutingAssembly().Location]
            : [Environment.ProcessPath!];

    public int Id => _process.Id;

    public static ChildProcess Start(
        int core, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        // taskset becomes the program that it starts, so its process id is the program's.
        var start = new ProcessStartInfo("taskset", ["-c", $"{core}", .. Itself, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        UseDefaults(start.Environment);
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return new ChildProcess(Process.Start(start)!);
        }
        catch (Win32Exception)
        {
            throw new FatalException("taskset is needed to pin servers and load to cores (package util-linux)");
        }
    }

    /// <summary>The next line of its standard output; null at the end of it.</summary>
    public async Task<string?> ReadLineAsync(TimeSpan bound, CancellationToken cancellation)
    {
        try
        {
            return await _process.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().WaitAsync(
                bound, cancellation);
        }
        catch (TimeoutException)
        {
            throw new LoadTestException($"no answer within {bound.TotalSeconds:F0} seconds");
        }
    }

    /// <summary>Ends it, and tells the first line that it wrote to standard error.</summary>
    public async Task<string> EndAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        string errors = (await _errors).Trim();
        return errors.Split('\n')[0];
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }

    // What the user's shell tunes the runtime with must not reach what is measured.
    private static void UseDefaults(IDictionary<string, string?> environment)
    {
        string[] tuning =
        [
            "DOTNET_Tiered", "DOTNET_TC_", "DOTNET_ReadyToRun", "DOTNET_GC", "DOTNET_gc", "DOTNET_ThreadPool",
            "DOTNET_PROCESSOR_COUNT", "DOTNET_SYSTEM_NET_SOCKETS", "COMPlus_",
        ];
        foreach (string name in environment.Keys.ToArray())
        {
            if (tuning.Any(start => name.StartsWith(start, StringComparison.Ordinal)))
            {
                environment.Remove(name);
            }
        }

        environment["DOTNET_gcServer"] = "0";
    }
}
