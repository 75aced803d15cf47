using System.Runtime.CompilerServices;
using SelectReactor.Interleavings.Exploration;

namespace SelectReactor;

/// <summary>In place of <see cref="System.Threading.Interlocked"/>.</summary>
internal static class Interlocked
{
    public static int Exchange(
        ref int location, int value, [CallerArgumentExpression(nameof(location))] string name = "")
    {
        Fence($"exchanges {name} for {value}");
        Settle(name, ref location);
        (int before, location) = (location, value);
        return before;
    }

    public static int CompareExchange(
        ref int location, int value, int comparand, [CallerArgumentExpression(nameof(location))] string name = "")
    {
        Fence($"exchanges {name} for {value} if it is {comparand}");
        Settle(name, ref location);
        int before = location;
        if (before == comparand)
        {
            location = value;
        }

        return before;
    }

    public static void MemoryBarrier() => Fence("passes a barrier");

    // Of groups, which the scenarios do without.
    public static int Increment(ref int location) => System.Threading.Interlocked.Increment(ref location);

    public static int Decrement(ref int location) => System.Threading.Interlocked.Decrement(ref location);

    // Of the connections and of the watch of slow callbacks, which the scenarios do without.
    public static T Exchange<T>(ref T location, T value) =>
        System.Threading.Interlocked.Exchange(ref location, value);

    public static T CompareExchange<T>(ref T location, T value, T comparand) =>
        System.Threading.Interlocked.CompareExchange(ref location, value, comparand);

    private static void Fence(string step)
    {
        Worker.Pause(step);
        if (Worker.Current is { } self)
        {
            self.Explorer.Buffers.DrainAll(self);
        }
    }

    private static void Settle(string name, ref int location)
    {
        if (Worker.Current is { } self)
        {
            self.Explorer.Buffers.Settle(name, ref location);
        }

        StoreBuffers.Observed?.Settle(name, ref location);
    }
}
