using System.Numerics;
using System.Runtime.InteropServices;

namespace SelectReactor.Epoll;

/// <summary>Which processors a thread may run on (sched_setaffinity(2)).</summary>
internal static class ProcessorAffinity
{
    private const int BitsPerWord = 64;

    /// <summary>The number of words for the 8,192 processors that the kernel can be built for.</summary>
    private const int Words = 128;

    /// <summary>Binds the current thread to one of the processors that it may run on.</summary>
    /// <param name="index">Which of them; beyond the last it begins with the first again.</param>
    /// <exception cref="IOException">The system refuses.</exception>
    public static void Pin(int index)
    {
        ulong[] mask = Allowed();
        int left = index % mask.Sum(static word => BitOperations.PopCount(word));
        for (int processor = 0; ; processor++)
        {
            if (IsIn(mask, processor) && left-- == 0)
            {
                var only = new ulong[Words];
                only[processor / BitsPerWord] = 1UL << (processor % BitsPerWord);
                ThrowIfFailed(Native.SetAffinity(0, Words * sizeof(ulong), ref only[0]), "sched_setaffinity");
                return;
            }
        }
    }

    /// <summary>The processors that the current thread may run on, as bits.</summary>
    public static ulong[] Allowed()
    {
        var mask = new ulong[Words];
        ThrowIfFailed(Native.GetAffinity(0, Words * sizeof(ulong), ref mask[0]), "sched_getaffinity");
        return mask;
    }

    private static bool IsIn(ulong[] mask, int processor) =>
        (mask[processor / BitsPerWord] & (1UL << (processor % BitsPerWord))) != 0;

    private static void ThrowIfFailed(int result, string call)
    {
        if (result < 0)
        {
            throw new IOException($"{call} failed: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }
}
