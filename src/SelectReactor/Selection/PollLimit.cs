using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// How many sockets one poll(2) may ask for. It refuses more than the limit on open files (RLIMIT_NOFILE), which
/// somebody may lower while sockets are open. The limit can't be read without a system call of our own, so it is
/// found by trying.
/// </summary>
internal sealed class PollLimit
{
    private const int MaxWaitsUntilRetry = 1000;
    private int _waits;

    /// <summary>No more than this many sockets are asked for at once.</summary>
    public int Max { get; private set; } = int.MaxValue;

    /// <summary>Whether a call with this many sockets failed because they were too many.</summary>
    public static bool Explains(SocketException error, int sockets) =>
        error.SocketErrorCode == SocketError.InvalidArgument && sockets > 1;

    /// <summary>Halves the size of a call that failed.</summary>
    public void Lower(int sockets)
    {
        Max = sockets / 2;
        _waits = 0;
    }

    /// <summary>Whether so many sockets fit. Now and then it answers yes in the hope that the limit was raised
    /// again.</summary>
    public bool Allows(int sockets)
    {
        if (sockets > Max && ++_waits > MaxWaitsUntilRetry)
        {
            Max = int.MaxValue;
        }

        return sockets <= Max;
    }
}
