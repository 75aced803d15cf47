using System.Text.Json;

namespace SelectReactor.LoadTest.Report;

/// <summary>The files of a run: SET.json, SET.md, SET.svg and SET.png.</summary>
internal static class ReportFiles
{
    public static void WriteTables(Results results, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(
            Path.Combine(folder, $"{results.Set}.json"),
            JsonSerializer.Serialize(results, ResultsJson.Indented.Results) + "\n");
        File.WriteAllText(Path.Combine(folder, $"{results.Set}.md"), Markdown.Write(results));
    }

    /// <summary>False, after a line that says what is missing, when this machine can't draw.</summary>
    public static bool TryWritePlots(Results results, string folder)
    {
        try
        {
            Plots.Write(results, Path.Combine(folder, results.Set));
            return true;
        }
        catch (Exception error) when (FindMissing(error) is { } missing)
        {
            Console.Error.WriteLine($"No plots: {missing}.");
            return false;
        }
    }

    public static Results Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(file), ResultsJson.Indented.Results)
                ?? throw new LoadTestException($"{file} is empty");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new LoadTestException($"{file} can't be read: {error.Message}");
        }
    }

    // The native drawing library is loaded in a type initializer, which wraps the reason.
    private static string? FindMissing(Exception? error) => error switch
    {
        null => null,
        DllNotFoundException => $"a native library is missing: {error.Message.Split(". ")[0]}",
        LoadTestException => error.Message,
        _ => FindMissing(error.InnerException),
    };
}
