using System.Runtime.CompilerServices;
using SelectReactor.Interleavings.Exploration;

namespace SelectReactor;

/// <summary>In place of <see cref="System.Threading.Volatile"/>: found first, being nearer to the core.</summary>
internal static class Volatile
{
    public static int Read(ref int location, [CallerArgumentExpression(nameof(location))] string name = "")
    {
        Worker.Pause($"reads {name}");
        StoreBuffers.Observed?.Settle(name, ref location);
        return Worker.Current is { } self ? self.Explorer.Buffers.Read(self, name, ref location) : location;
    }

    public static void Write(
        ref int location, int value, [CallerArgumentExpression(nameof(location))] string name = "")
    {
        Worker.Pause($"writes {value} to {name}");
        if (Worker.Current is { } self)
        {
            self.Explorer.Buffers.Write(self, name, value);
        }
        else
        {
            StoreBuffers.Observed?.Settle(name, ref location);
            location = value;
        }
    }

    // Of the connections and listeners, which the scenarios do without.
    public static long Read(ref long location) => System.Threading.Volatile.Read(ref location);

    // Of the measured times, which nothing depends on.
    public static void Write(ref long location, long value) => System.Threading.Volatile.Write(ref location, value);

    // A reference, such as the reactor's thread, is seen at once: each write of it is followed by a fence of the core.
    public static T Read<T>(ref T location, [CallerArgumentExpression(nameof(location))] string name = "")
        where T : class?
    {
        Worker.Pause($"reads {name}");
        return System.Threading.Volatile.Read(ref location);
    }

    public static void Write<T>(ref T location, T value, [CallerArgumentExpression(nameof(location))] string name = "")
        where T : class?
    {
        Worker.Pause($"writes {name}");
        System.Threading.Volatile.Write(ref location, value);
    }
}
