using System.Net.Sockets;

namespace SelectReactor.Epoll;

/// <summary>The descriptor of a handle that an <see cref="EpollSelector"/> can watch, kept open while it is used: any
/// thread may close the socket of a user, and the number then belongs to another one.</summary>
internal readonly ref struct HeldDescriptor
{
    private readonly Handle _handle;

    private HeldDescriptor(Handle handle, int number)
    {
        _handle = handle;
        Number = number;
    }

    /// <summary>The descriptor; -1 if it is closed.</summary>
    public int Number { get; }

    public bool IsClosed => Number < 0;

    public static bool IsKnown(Handle handle) => handle is EpollHandle or SocketHandle;

    public static HeldDescriptor Of(Handle handle) => handle switch
    {
        EpollHandle own when own.TryHold(out int number) => new HeldDescriptor(handle, number),
        SocketHandle core => OfSocket(core),
        _ => new HeldDescriptor(handle, -1),
    };

    public void Dispose()
    {
        if (IsClosed)
        {
            return;
        }

        if (_handle is EpollHandle own)
        {
            own.Release();
        }
        else
        {
            ((SocketHandle)_handle).Socket.SafeHandle.DangerousRelease();
        }
    }

    private static HeldDescriptor OfSocket(SocketHandle handle)
    {
        SafeSocketHandle socket = handle.Socket.SafeHandle;
        bool isHeld = false;
        try
        {
            socket.DangerousAddRef(ref isHeld);
        }
        catch (ObjectDisposedException)
        {
            // The user has closed it.
        }

        return new HeldDescriptor(handle, isHeld ? (int)socket.DangerousGetHandle() : -1);
    }
}
