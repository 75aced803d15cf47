using System.Runtime.InteropServices;

namespace SelectReactor.Epoll;

/// <summary>The system calls, as in their manual pages: epoll_create1(2), epoll_ctl(2), epoll_wait(2), eventfd(2),
/// read(2), write(2), fcntl(2), close(2), sched_setaffinity(2).</summary>
internal static partial class Native
{
    public const int CloseOnExec = 0x80000;
    public const int NonBlocking = 0x800;

    public const int Add = 1;
    public const int Delete = 2;
    public const int Modify = 3;

    public const uint In = 0x001;
    public const uint Out = 0x004;
    public const uint Error = 0x008;
    public const uint HangUp = 0x010;

    /// <summary>EPOLLEXCLUSIVE: of the sets that watch one socket, the kernel wakes one that is waited for. Not
    /// allowed with <see cref="Modify"/>.</summary>
    public const uint Exclusive = 1u << 28;

    public const int Interrupted = 4;
    public const int DuplicateCloseOnExec = 1030;

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial NativeHandle EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(NativeHandle epoll, int operation, int descriptor, ref byte epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(NativeHandle epoll, ref byte events, int maxEvents, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial NativeHandle EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(NativeHandle descriptor, ref ulong value, nint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(NativeHandle descriptor, ref ulong value, nint size);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial NativeHandle FileControl(NativeHandle descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileControl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    public static partial int GetAffinity(int thread, nint size, ref ulong mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    public static partial int SetAffinity(int thread, nint size, ref ulong mask);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);
}
