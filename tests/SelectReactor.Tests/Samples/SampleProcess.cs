using System.Diagnostics;
using System.Text.RegularExpressions;

namespace SelectReactor.Tests.Samples;

/// <summary>A sample, built with these tests, as a child process. Every wait is bounded, and disposal ends the child.</summary>
internal sealed partial class SampleProcess : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private readonly Process _process;

    private SampleProcess(string sample, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(PathOf(sample));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
    }

    public static SampleProcess Start(string sample, params string[] arguments) => new(sample, arguments);

    /// <summary>Runs a sample to its end.</summary>
    public static (int ExitCode, string Output, string Error) Run(string sample, string input, params string[] arguments)
    {
        using var process = new SampleProcess(sample, arguments);

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
