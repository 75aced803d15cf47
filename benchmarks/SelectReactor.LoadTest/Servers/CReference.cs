using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using SelectReactor.LoadTest.Load;

namespace SelectReactor.LoadTest.Servers;

/// <summary>The C program of benchmarks/reference, compiled where the benchmark runs.</summary>
internal static class CReference
{
    public const string Name = "c";
    private static readonly string _source = Path.Combine(AppContext.BaseDirectory, "reference", "epoll_echo.c");
    private static readonly string _program = Path.Combine(AppContext.BaseDirectory, "reference", "epoll_echo");

    /// <summary>Compiles it unless that was done; the message says why it can't be used, null that it can.</summary>
    public static string? Prepare()
    {
        if (File.GetLastWriteTimeUtc(_program) > File.GetLastWriteTimeUtc(_source))
        {
            return null;
        }

        // Another process may compile it as well: the finished program appears in one step.
        string unfinished = $"{_program}.{Environment.ProcessId}";
        try
        {
            using Process compiler = Process.Start(new ProcessStartInfo("cc", ["-O2", "-o", unfinished, _source])
            {
                RedirectStandardError = true,
            })!;
            string complaint = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (compiler.ExitCode != 0)
            {
                return $"cc does not compile epoll_echo.c: {complaint.Split('\n')[0]}";
            }

            File.Move(unfinished, _program, overwrite: true);
            return null;
        }
        catch (Win32Exception)
        {
            return "there is no C compiler (cc)";
        }
    }

    /// <summary>Becomes that program: the process id stays. It says by itself where it listens.</summary>
    public static void Run(int port, Action<EndPoint> listening) => Run(port);

    public static void RunDatagrams(int port, Action<EndPoint> listening) => Run(port, "--datagrams");

    private static void Run(int port, params string[] more)
    {
        if (Prepare() is { } reason)
        {
            throw new LoadTestException($"The C reference can't run: {reason}.");
        }

        Libc.Execute(_program, [_program, $"{port}", "--until-eof", .. more]);
    }
}
