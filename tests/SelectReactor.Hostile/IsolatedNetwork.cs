using System.Runtime.InteropServices;

namespace SelectReactor.Hostile;

/// <summary>A network of its own for a piece of code and for the programs that it starts: the thread that runs it
/// leaves the network namespace of the process (unshare(2)). It needs the rights of root.</summary>
internal static partial class IsolatedNetwork
{
    private const int NewNetwork = 0x40000000;

    /// <summary>Runs the code on a thread of its own, after the shell line has set the network up.</summary>
    public static void Run(string setUp, Action code)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Assert.That(Unshare(NewNetwork), Is.Zero, "unshare(2) needs root");
                (int exitCode, _, string error) = Server.Run($"set -e; ip link set lo up; {setUp}");
                Assert.That(exitCode, Is.Zero, error);
                code();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw new AssertionException(failure.Message, failure);
        }
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
