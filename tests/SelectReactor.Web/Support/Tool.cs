using System.Diagnostics;

namespace SelectReactor.Web;

/// <summary>What a program has said, and how it ended.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error);

/// <summary>Programs that visit the site.</summary>
internal static class Tool
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    /// <summary>Runs a shell line to its end.</summary>
    public static async Task<ToolResult> RunAsync(string line)
    {
        using Process process = Start(line);
        process.StandardInput.Close();
        using var bound = new CancellationTokenSource(_bound);
        Task<string> output = process.StandardOutput.ReadToEndAsync(bound.Token);
        Task<string> error = process.StandardError.ReadToEndAsync(bound.Token);
        try
        {
            await process.WaitForExitAsync(bound.Token);
            return new ToolResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"does not end: {line}");
        }
    }

    /// <summary>Runs a shell line that has to succeed.</summary>
    public static async Task<string> OutputAsync(string line)
    {
        ToolResult result = await RunAsync(line);
        Assert.That(result.ExitCode, Is.Zero, $"{line}\n{result.Output}\n{result.Error}");
        return result.Output;
    }

    /// <summary>Starts a shell line whose end nobody waits for.</summary>
    public static Process Start(string line) => Process.Start(new ProcessStartInfo("bash", ["-c", line])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
