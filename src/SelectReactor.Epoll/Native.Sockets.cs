using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace SelectReactor.Epoll;

/// <content>
/// recv(2), recvfrom(2), send(2), sendto(2), sendmsg(2), accept4(2), shutdown(2), getsockname(2), getsockopt(2),
/// setsockopt(2). They take plain numbers: <see cref="EpollHandle"/> knows that a number is still its own. Ask
/// <see cref="LastError"/> at once after a call that returned -1, as generated marshalling does.
/// </content>
internal static unsafe partial class Native
{
    /// <summary>SOL_SOCKET.</summary>
    public const int SocketLevel = 1;

    /// <summary>SO_ERROR.</summary>
    public const int PendingError = 4;

    /// <summary>SO_LINGER.</summary>
    public const int Linger = 13;

    /// <summary>MSG_TRUNC: the result is the size of the whole datagram, even if the buffer is smaller.</summary>
    public const int WholeSize = 0x20;

    /// <summary>MSG_NOSIGNAL: a cut connection is an error and no signal (SIGPIPE).</summary>
    public const int NoSignal = 0x4000;

    private const int WouldBlock = 11;

    /// <summary>The runtime's own translation, asked once for each number.</summary>
    private static readonly SocketError[] _errors = TranslateAll();

    /// <summary>Why the call before has failed, as <see cref="Socket"/> would say it.</summary>
    public static SocketError LastError()
    {
        int number = Marshal.GetLastSystemError();
        return number == WouldBlock ? SocketError.WouldBlock : ToSocketError(number);
    }

    /// <summary>The <see cref="SocketError"/> of an error number (errno).</summary>
    public static SocketError ToSocketError(int number) =>
        (uint)number < (uint)_errors.Length ? _errors[number] : SocketError.SocketError;

    [LibraryImport("libc", EntryPoint = "recv")]
    public static partial nint Receive(int socket, byte* buffer, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "recvfrom")]
    public static partial nint ReceiveFrom(
        int socket, byte* buffer, nint size, int flags, byte* address, int* addressSize);

    [LibraryImport("libc", EntryPoint = "send")]
    public static partial nint Send(int socket, byte* buffer, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "sendto")]
    public static partial nint SendTo(
        int socket, byte* buffer, nint size, int flags, byte* address, int addressSize);

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    public static partial nint SendGathered(int socket, Message* message, int flags);

    [LibraryImport("libc", EntryPoint = "accept4")]
    public static partial int Accept(int socket, byte* address, int* addressSize, int flags);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    public static partial int Shutdown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "getsockname")]
    public static partial int GetName(int socket, byte* address, int* addressSize);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    public static partial int GetOption(int socket, int level, int option, byte* value, int* size);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    public static partial int SetOption(int socket, int level, int option, byte* value, int size);

    /// <summary>Makes the table of errors. To be done before descriptors run out: code that is loaded later needs
    /// one.</summary>
    public static void PrepareErrors() => ToSocketError(0);

    private static SocketError[] TranslateAll()
    {
        var errors = new SocketError[256];
        for (int number = 0; number < errors.Length; number++)
        {
            // This constructor takes the number from there.
            Marshal.SetLastPInvokeError(number);
            errors[number] = new SocketException().SocketErrorCode;
        }

        return errors;
    }

    /// <summary><c>struct iovec</c>.</summary>
    public readonly struct Piece(byte* start, nint size)
    {
        private readonly byte* _start = start;
        private readonly nint _size = size;
    }

    /// <summary><c>struct msghdr</c>. Its counts are of the size of a pointer in glibc and in the kernel; musl has a
    /// smaller number and a gap there, which a small number fills alike on little-endian machines.</summary>
    public readonly struct Message(Piece* pieces, nint count)
    {
        private readonly byte* _address = null;
        private readonly int _addressSize = 0;
        private readonly Piece* _pieces = pieces;
        private readonly nint _count = count;
        private readonly byte* _control = null;
        private readonly nint _controlSize = 0;
        private readonly int _flags = 0;
    }
}
