using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace SelectReactor.Hostile;

/// <summary>A sample server as a child process, started by a shell line that may limit, trace or isolate it.</summary>
internal sealed partial class Server : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private readonly Process _process;

    private Server(Process process, IPEndPoint address)
    {
        _process = process;
        Address = address;
        Pid = FindServer(process.Id);
    }

    public IPEndPoint Address { get; }

    /// <summary>Of the server itself, where another program such as strace stands between.</summary>
    public int Pid { get; }

    public int Descriptors => Directory.GetFiles($"/proc/{Pid}/fd").Length;

    /// <summary>The next descriptor that it asks for is refused: a new one would have the lowest number that is
    /// free.</summary>
    public void AllowNoMoreDescriptors() => LimitDescriptors(
        Enumerable.Range(0, int.MaxValue).First(number => !Path.Exists($"/proc/{Pid}/fdinfo/{number}")));

    /// <summary>From now on it gets no descriptor of this number or a higher one.</summary>
    public void LimitDescriptors(int limit)
    {
        (int code, _, string error) = Run($"prlimit --pid {Pid} --nofile={limit}:");
        Assert.That(code, Is.Zero, error);
    }

    public TimeSpan ProcessorTime => Process.GetProcessById(Pid).TotalProcessorTime;

    public long ResidentBytes => Process.GetProcessById(Pid).WorkingSet64;

    /// <summary>Waits for the next line on its standard error stream.</summary>
    public string ReadErrorLine()
    {
        Task<string?> line = _process.StandardError.ReadLineAsync();
        return line.Wait(_bound) ? line.Result ?? "" : throw new TimeoutException("no line on standard error");
    }

    /// <summary>Kills it, and reads what is left on its standard error stream.</summary>
    public string EndAndReadErrors()
    {
        _process.Kill(entireProcessTree: true);
        return _process.StandardError.ReadToEnd();
    }

    /// <summary>Starts <c>PREFIX dotnet SAMPLE.dll ARGUMENTS</c> and waits until it listens.</summary>
    public static Server Start(string sample, string prefix = "exec", string arguments = "--port 0")
    {
        Process process = Shell($"{prefix} dotnet {PathOf(sample)} {arguments}");
        Task<string?> line = process.StandardOutput.ReadLineAsync();
        if (!line.Wait(_bound) || ListeningLine().Match(line.Result ?? "") is not { Success: true } match)
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{sample} does not listen: {process.StandardError.ReadToEnd()}");
        }

        return new Server(process, IPEndPoint.Parse(match.Groups[1].Value));
    }

    /// <summary>Runs a shell line to its end.</summary>
    public static (int ExitCode, string Output, string Error) Run(string line)
    {
        using Process process = Shell(line);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(_bound))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"does not end: {line}");
        }

        return (process.ExitCode, output.Result, error.Result);
    }

    public static Process Shell(string line) => Process.Start(new ProcessStartInfo("bash", ["-c", line])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>tests/PROJECT/bin/CONFIGURATION/FRAMEWORK beside samples/SAMPLE/bin/CONFIGURATION/FRAMEWORK.</summary>
    public static string PathOf(string sample)
    {
        var framework = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        string root = framework.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        return Path.Combine(root, "samples", sample, "bin", framework.Parent.Name, framework.Name, $"{sample}.dll");
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private static int FindServer(int pid)
    {
        string name = File.ReadAllText($"/proc/{pid}/comm").Trim();
        string children = File.ReadAllText($"/proc/{pid}/task/{pid}/children").Trim();
        return name == "dotnet" || children.Length == 0
            ? pid
            : FindServer(int.Parse(children.Split(' ')[0], CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"(\d+\.\d+\.\d+\.\d+:\d+)")]
    private static partial Regex ListeningLine();
}
