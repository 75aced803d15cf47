using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>A server under strace(1), which counts the system calls of all its threads.</summary>
internal sealed class TracedServer : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private readonly string _summary = Path.GetTempFileName();
    private readonly Process _process;

    /// <summary>Starts a server and waits until it listens.</summary>
    public TracedServer(string server)
    {
        string[] count = ["-f", "-c", "-o", _summary];
        string[] serve = ["serve", server, "--until-eof"];
        var start = new ProcessStartInfo("strace", [.. count, .. ChildProcess.Itself, .. serve])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new FatalException("strace is needed to count system calls (package strace)");
        }

        string? line = _process.StandardOutput.ReadLine();
        Port = line?.StartsWith(Measuring.ReadyLine, StringComparison.Ordinal) == true
            ? int.Parse(line[(line.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture)
            : throw new FatalException($"The server {server} does not start under strace: {line}");
    }

    public int Port { get; }

    /// <summary>Ends the server.</summary>
    /// <returns>The number of calls of each kind, from its start to its end.</returns>
    public Dictionary<string, long> End()
    {
        _process.StandardInput.Close();
        return _process.WaitForExit(_bound)
            ? Parse(File.ReadLines(_summary))
            : throw new FatalException("The server under strace does not end.");
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
        File.Delete(_summary);
    }

    // "% time, seconds, usecs/call, calls, errors (may be missing), syscall", between two rules.
    private static Dictionary<string, long> Parse(IEnumerable<string> lines)
    {
        var counts = new Dictionary<string, long>();
        foreach (string line in lines.SkipWhile(IsNoRule).Skip(1).TakeWhile(IsNoRule))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            counts[fields[^1]] = long.Parse(fields[3], CultureInfo.InvariantCulture);
        }

        return counts;

        static bool IsNoRule(string line) => !line.StartsWith("---", StringComparison.Ordinal);
    }
}
