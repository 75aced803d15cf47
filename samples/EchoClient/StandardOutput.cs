using Microsoft.Win32.SafeHandles;

namespace EchoClient;

/// <summary>Standard output that says when nobody reads it any more, as in a pipe to <c>head -n1</c>. The console's
/// own stream then drops what is written, and the program would go on for nothing.</summary>
internal static class StandardOutput
{
    /// <summary>The exit code that a shell reports of programs that a closed pipe has ended: 128 and the number of
    /// SIGPIPE.</summary>
    public const int ClosedExitCode = 141;

    private const int BrokenPipe = 32;

    public static Stream Open()
    {
        if (OperatingSystem.IsWindows())
        {
            return Console.OpenStandardOutput();
        }

        var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);

        // A file may be shared with other programs, and FileStream would write at a position of its own.
        return stream.CanSeek ? Console.OpenStandardOutput() : stream;
    }

    /// <summary>Whether the cause of an error is that nobody reads any more.</summary>
    public static bool IsClosed(Exception error) => error.InnerException is IOException { HResult: BrokenPipe };
}
