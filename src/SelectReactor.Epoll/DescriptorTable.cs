namespace SelectReactor.Epoll;

/// <summary>
/// Keeps the kernel's table of this process's descriptors ahead of their number. The kernel doubles the table when a
/// call needs a descriptor beyond its end, and in a process of several threads that call then waits 5 to 15 ms for an
/// RCU grace period: during a storm of clients, the loop would stop at the 256th, the 512th and so on. Here another
/// thread makes the call that waits. The memory is 8 bytes a descriptor, for at most four times as many as are open
/// or for 4,096.
/// </summary>
internal static class DescriptorTable
{
    /// <summary>The first size: small, and enough to make the next one in time at the rate of a storm.</summary>
    private const int LeastSize = 4096;

    /// <summary>The size that the table has or is about to get.</summary>
    private static int _size;

    /// <summary>Notes that a descriptor is in use. Any thread.</summary>
    public static void Note(int descriptor)
    {
        int size = Volatile.Read(ref _size);
        if (descriptor < size / 2 || descriptor > int.MaxValue / 4)
        {
            return;
        }

        int next = LeastSize;
        while (descriptor >= next / 2)
        {
            next *= 2;
        }

        if (Interlocked.CompareExchange(ref _size, next, size) == size)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static size => Grow(size), next, preferLocal: false);
        }
    }

    // A descriptor in the upper half needs a table of that size. It fails beyond the limit on open files, and then no
    // table of that size is needed.
    private static void Grow(int size)
    {
        using NativeHandle own = Native.EventDescriptor(0, Native.CloseOnExec);
        if (!own.IsInvalid)
        {
            using NativeHandle high = Native.FileControl(own, Native.DuplicateCloseOnExec, size / 2);
        }
    }
}
