using System.Runtime.InteropServices;

namespace SelectReactor.LoadTest.Load;

/// <summary>
/// The C library, called directly: no line of what is measured, nor of System.Net.Sockets, is in the generator. A call
/// that fails returns -1 and leaves the reason in <see cref="LastError"/>.
/// </summary>
internal static unsafe partial class Libc
{
    public const int Again = 11;
    public const int InProgress = 115;
    public const int NonBlocking = 0x800;
    public const int SocketLevel = 1;
    public const int Linger = 13;
    public const int ReceiveTimeout = 20;
    public const int SendTimeout = 21;
    public const int Tcp = 6;
    public const int NoDelay = 1;
    public const int Ip = 0;
    public const int BindAddressNoPort = 24;
    public const int NoSignal = 0x4000;
    public const int ShutdownSend = 1;
    public const int EpollAdd = 1;
    public const int EpollModify = 3;
    public const uint EpollIn = 1;
    public const uint EpollOut = 4;
    public const int ProcessCpuTime = 2;
    private const int CloseOnExec = 0x80000;
    private const int OpenFiles = 7;
    private const int InternetFamily = 2;
    private const int Stream = 1;
    private const int Datagram = 2;

    public static int LastError => Marshal.GetLastPInvokeError();

    public static string LastErrorText => Marshal.GetPInvokeErrorMessage(LastError);

    /// <summary>How many files this process may have open; the runtime has raised it to the hard limit.</summary>
    public static long OpenFileLimit => GetLimit(OpenFiles, out Limits limits) == 0 ? (long)limits.Current : 1024;

    /// <summary>A TCP socket; <paramref name="flags"/> may be <see cref="NonBlocking"/>.</summary>
    public static int Socket(int flags) => Socket(InternetFamily, Stream | CloseOnExec | flags, 0);

    /// <summary>A UDP socket.</summary>
    public static int DatagramSocket() => Socket(InternetFamily, Datagram | CloseOnExec, 0);

    public static int Connect(int descriptor, uint address, int port)
    {
        var to = new InternetAddress(address, port);
        return Connect(descriptor, &to, sizeof(InternetAddress));
    }

    public static int Bind(int descriptor, uint address)
    {
        var to = new InternetAddress(address, 0);
        return Bind(descriptor, &to, sizeof(InternetAddress));
    }

    public static int SetOption(int descriptor, int level, int option, int value) =>
        SetOption(descriptor, level, option, &value, sizeof(int));

    /// <summary>For the options whose value is a pair: a time-out, or whether to linger and how long.</summary>
    public static int SetOption<T>(int descriptor, int level, int option, (T First, T Second) value)
        where T : unmanaged
    {
        T* pair = stackalloc T[2] { value.First, value.Second };
        return SetOption(descriptor, level, option, pair, 2 * sizeof(T));
    }

    public static int SetNonBlocking(int descriptor)
    {
        const int SetFlags = 4;
        return Control(descriptor, SetFlags, NonBlocking);
    }

    /// <summary>Makes the table of descriptors large enough for so many. In a process of several threads each of its
    /// doublings waits some 15 ms for an RCU grace period (expand_fdtable of the kernel), which would otherwise be in
    /// the middle of the load.</summary>
    public static void ReserveDescriptors(int count)
    {
        const int Duplicate = 0;
        int last = Control(0, Duplicate, count - 1);
        if (last < 0)
        {
            throw new LoadTestException($"{count} descriptors: {LastErrorText}");
        }

        _ = Close(last);
    }

    public static nint Send(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return Send(descriptor, start, bytes.Length, NoSignal);
        }
    }

    public static nint Receive(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return Receive(descriptor, start, buffer.Length, 0);
        }
    }

    /// <summary>The processor time in seconds of a clock: <see cref="ProcessCpuTime"/> or one of
    /// <see cref="CpuClock"/>. It is utime + stime of /proc/PID/stat, in nanoseconds instead of hundredths of a
    /// second.</summary>
    public static double ReadClock(int clock) =>
        GetTime(clock, out Time time) == 0 ? time.Seconds + (time.Nanoseconds / 1e9) : double.NaN;

    /// <summary>The clock of another process' processor time, or -1.</summary>
    public static int CpuClock(int process) => GetCpuClock(process, out int clock) == 0 ? clock : -1;

    /// <summary>Replaces this process by another program; returns only when that fails.</summary>
    public static void Execute(string program, IReadOnlyList<string> arguments)
    {
        string?[] terminated = [.. arguments, null];
        _ = ExecuteVector(program, terminated);
        throw new LoadTestException($"{Path.GetFileName(program)} can't be run: {LastErrorText}.");
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int poller, int operation, int descriptor, byte* change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int poller, byte* events, int capacity, int milliseconds);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int descriptor, int how);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int descriptor, InternetAddress* address, int length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int descriptor, InternetAddress* address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int descriptor, int level, int option, void* value, int length);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int descriptor, byte* bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetLimit(int resource, out Limits limits);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int GetTime(int clock, out Time time);

    // The result is the error itself.
    [LibraryImport("libc", EntryPoint = "clock_getcpuclockid")]
    private static partial int GetCpuClock(int process, out int clock);

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ExecuteVector(string program, string?[] arguments);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct InternetAddress(uint address, int port)
    {
        private readonly ushort _family = InternetFamily;
        private readonly ushort _port = (ushort)System.Net.IPAddress.HostToNetworkOrder((short)port);
        private readonly int _address = System.Net.IPAddress.HostToNetworkOrder((int)address);
        private readonly long _zero;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limits
    {
        public readonly nuint Current;
        public readonly nuint Maximum;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Time
    {
        public readonly nint Seconds;
        public readonly nint Nanoseconds;
    }
}
