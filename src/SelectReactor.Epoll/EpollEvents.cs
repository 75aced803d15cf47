namespace SelectReactor.Epoll;

/// <summary>The library's terms in those of epoll(7).</summary>
internal static class EpollEvents
{
    /// <summary>What to watch the handle of an entry for.</summary>
    public static uint Of(SelectorEntry entry) =>
        Of(entry.Interest) | (entry.Handle is EpollHandle { IsShared: true } ? Native.Exclusive : 0);

    /// <summary>What to watch for.</summary>
    public static uint Of(Interest interest) =>
        ((interest & Interest.Read) != 0 ? Native.In : 0)
        | ((interest & (Interest.Write | Interest.Connect)) != 0 ? Native.Out : 0);

    /// <summary>What a handle is ready for. An error or a hang-up makes it ready for everything that it is watched
    /// for: the next call on it tells which error it is.</summary>
    public static Interest ToInterest(uint events, Interest interest)
    {
        if ((events & (Native.Error | Native.HangUp)) != 0)
        {
            return interest;
        }

        Interest found = (events & Native.In) != 0 ? Interest.Read : Interest.None;
        if ((events & Native.Out) != 0)
        {
            found |= Interest.Write | Interest.Connect;
        }

        return found & interest;
    }

    /// <summary>Whether there is an error or a hang-up, and nothing that the handle is watched for.</summary>
    public static bool IsErrorAlone(uint events) => (events & (Native.In | Native.Out)) == 0;

    /// <summary>Whole milliseconds, rounded up: a shorter wait would be none at all, and spin until the timer is due.
    /// -1 means without limit.</summary>
    public static int ToMilliseconds(TimeSpan wait)
    {
        if (wait < TimeSpan.Zero)
        {
            return -1;
        }

        long milliseconds = wait.Ticks / TimeSpan.TicksPerMillisecond;
        if (wait.Ticks % TimeSpan.TicksPerMillisecond != 0)
        {
            milliseconds++;
        }

        return (int)Math.Min(milliseconds, int.MaxValue);
    }
}
