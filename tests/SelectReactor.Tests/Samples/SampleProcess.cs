using System.Diagnostics;
using System.Text.RegularExpressions;

namespace SelectReactor.Tests.Samples;

/// <summary>A sample, built with these tests, as a child process. Every wait is bounded, and disposal ends the
/// child.</summary>
internal sealed partial class SampleProcess : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private readonly Process _process;

    private SampleProcess(string program, IEnumerable<string> arguments)
    {
        _process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    public static SampleProcess Start(string sample, params string[] arguments) =>
        new("dotnet", [PathOf(sample), .. arguments]);

    /// <summary>Starts a sample with redirections as a shell spells them, such as "&lt; /dev/null".</summary>
    public static SampleProcess StartRedirected(string redirections, string sample, params string[] arguments) =>
        new("sh", ["-c", $"exec dotnet \"$@\" {redirections}", "sh", PathOf(sample), .. arguments]);

    /// <summary>Starts a sample between two other programs. The last line of the output is the sample's exit
    /// code.</summary>
    public static SampleProcess StartPiped(string before, string after, string sample, params string[] arguments) =>
        new(
            "bash",
            [
                "-c", $"{before} | dotnet \"$@\" | {after}; echo ${{PIPESTATUS[1]}}",
                "bash", PathOf(sample), .. arguments,
            ]);

    /// <summary>Runs a sample to its end.</summary>
    public static (int ExitCode, string Output, string Error) Run(
        string sample, string input, params string[] arguments)
    {
        using SampleProcess process = Start(sample, arguments);

        // Beside the reading, since a sample that answers as it reads would otherwise fill the pipes and wait.
        var writing = Task.Run(() =>
        {
            process._process.StandardInput.Write(input);
            process._process.StandardInput.Close();
        });
        (int, string, string) result = process.WaitForExit();
        Assert.That(writing.Wait(_bound), "the sample does not read its input");
        return result;
    }

    /// <summary>Waits for the line that says where a server listens, and returns the port.</summary>
    public int ReadPort()
    {
        Task<string?> line = _process.StandardOutput.ReadLineAsync();
        Assert.That(line.Wait(_bound), "the server says nothing");
        System.Text.RegularExpressions.Match match = ListeningLine().Match(line.Result ?? "");
        Assert.That(match.Success, $"not the line of a server that is ready: {line.Result}");
        return int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Sends a signal by its name, such as TERM.</summary>
    public void Signal(string name)
    {
        Assume.That(name != "INT" || !IsInterruptIgnored(), "SIGINT is ignored here, as in a shell's background job");
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        Assert.That(kill.WaitForExit(_bound));
    }

    public (int ExitCode, string Output, string Error) WaitForExit()
    {
        Task<string> output = _process.StandardOutput.ReadToEndAsync();
        Task<string> error = _process.StandardError.ReadToEndAsync();
        Assert.That(_process.WaitForExit(_bound), "the sample does not end");
        return (_process.ExitCode, output.Result, error.Result);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    // Children inherit it, and .NET leaves it so: such a sample never sees the signal. Bit 1 is signal 2.
    private static bool IsInterruptIgnored() =>
        OperatingSystem.IsLinux()
        && File.ReadLines("/proc/self/status")
            .First(static line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[^1]
            is '2' or '3' or '6' or '7' or 'a' or 'b' or 'e' or 'f';

    // tests/<project>/bin/<configuration>/<framework> beside samples/<sample>/bin/<configuration>/<framework>.
    private static string PathOf(string sample)
    {
        var framework = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        DirectoryInfo configuration = framework.Parent!;
        string root = configuration.Parent!.Parent!.Parent!.Parent!.FullName;
        return Path.Combine(root, "samples", sample, "bin", configuration.Name, framework.Name, $"{sample}.dll");
    }

    [GeneratedRegex("^Listening on .*:([0-9]+)$")]
    private static partial Regex ListeningLine();
}
