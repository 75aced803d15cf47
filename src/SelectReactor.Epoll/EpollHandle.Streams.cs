using System.Net.Sockets;
using System.Runtime.InteropServices;
using SelectReactor.Selection;

namespace SelectReactor.Epoll;

/// <content>Accepts, receives and sends.</content>
internal sealed unsafe partial class EpollHandle
{
    /// <summary>How many buffers go into one system call.</summary>
    private const int MaxPieces = 32;

    /// <inheritdoc/>
    public override SocketError Accept(out Handle? accepted)
    {
        accepted = null;
        if (!TryHold(out int descriptor))
        {
            return SocketError.OperationAborted;
        }

        byte* address = stackalloc byte[NativeAddress.MaxSize];
        int size = NativeAddress.MaxSize, client;
        SocketError error = SocketError.Success;
        while ((client = Native.Accept(descriptor, address, &size, Native.CloseOnExec | Native.NonBlocking)) < 0
            && (error = Native.LastError()) == SocketError.Interrupted)
        {
        }

        Release();
        if (client < 0)
        {
            return error;
        }

        accepted = Accepted(client, new ReadOnlySpan<byte>(address, size));
        return SocketError.Success;
    }

    /// <inheritdoc/>
    public override SocketError Receive(Span<byte> buffer, out int received)
    {
        received = 0;
        if (!TryHold(out int descriptor))
        {
            return SocketError.OperationAborted;
        }

        nint count;
        SocketError error = SocketError.Success;
        int flags = _kind == SocketKind.Datagram ? Native.WholeSize : 0;
        fixed (byte* start = buffer)
        {
            while ((count = Native.Receive(descriptor, start, buffer.Length, flags)) < 0
                && (error = Native.LastError()) == SocketError.Interrupted)
            {
            }
        }

        Release();
        if (count < 0)
        {
            return error;
        }

        if (count == 0)
        {
            return buffer.Length > 0 && IsReset() ? SocketError.ConnectionReset : SocketError.Success;
        }

        return Received(count, buffer.Length, out received);
    }

    /// <inheritdoc/>
    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        sent = 0;
        if (!TryHold(out int descriptor))
        {
            return SocketError.OperationAborted;
        }

        nint count;
        SocketError error = SocketError.Success;
        fixed (byte* start = buffer)
        {
            while ((count = Native.Send(descriptor, start, buffer.Length, Native.NoSignal)) < 0
                && (error = Native.LastError()) == SocketError.Interrupted)
            {
            }
        }

        Release();
        return count < 0 ? Unsent(error) : Sent(count, out sent);
    }

    /// <inheritdoc/>
    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        ArgumentNullException.ThrowIfNull(buffers);
        sent = 0;
        if (_kind == SocketKind.Datagram && buffers.Count > MaxPieces)
        {
            // One datagram is one call.
            return Inner?.Send(buffers, out sent) ?? SocketError.OperationAborted;
        }

        ReadOnlySpan<ArraySegment<byte>> rest = buffers switch
        {
            List<ArraySegment<byte>> list => CollectionsMarshal.AsSpan(list),
            ArraySegment<byte>[] array => array,
            _ => buffers.ToArray(),
        };
        Native.Piece* pieces = stackalloc Native.Piece[MaxPieces];
        do
        {
            ReadOnlySpan<ArraySegment<byte>> some = rest[..Math.Min(rest.Length, MaxPieces)];
            rest = rest[some.Length..];
            SocketError error = SendPieces(pieces, 0, some, out int count);
            sent += count;
            if (error != SocketError.Success)
            {
                return sent > 0 ? SocketError.Success : error;
            }

            if (count < Size(some))
            {
                break;
            }
        }
        while (rest.Length > 0);
        return SocketError.Success;
    }

    /// <inheritdoc/>
    public override bool TryGetAcknowledgedBytes(out long bytes)
    {
        bytes = 0;
        return TryGetInfo(out TcpInfo info) && _progress.TryGetAcknowledged(info, out bytes);
    }

    private static long Size(ReadOnlySpan<ArraySegment<byte>> buffers)
    {
        long size = 0;
        foreach (ArraySegment<byte> buffer in buffers)
        {
            size += buffer.Count;
        }

        return size;
    }

    private EpollHandle Accepted(int client, ReadOnlySpan<byte> address)
    {
        EpollHandle handle;
        try
        {
            handle = new EpollHandle(client, _kind, NativeAddress.Parse(address));
        }
        catch
        {
            // Out of memory.
            _ = Native.Close(client);
            throw;
        }

        if (_inheritsLinger)
        {
            // A client that came before this handle took the listener over.
            handle.SetLinger(isOn: false);
        }

        return handle;
    }

    // Each level of the recursion keeps one buffer in place, which costs less than a handle of the collector for each.
    private SocketError SendPieces(
        Native.Piece* pieces, int pinned, ReadOnlySpan<ArraySegment<byte>> buffers, out int sent)
    {
        if (pinned == buffers.Length)
        {
            return SendPinned(pieces, pinned, out sent);
        }

        ReadOnlySpan<byte> buffer = buffers[pinned];
        fixed (byte* start = buffer)
        {
            pieces[pinned] = new Native.Piece(start, buffer.Length);
            return SendPieces(pieces, pinned + 1, buffers, out sent);
        }
    }

    private SocketError SendPinned(Native.Piece* pieces, int pieceCount, out int sent)
    {
        sent = 0;
        if (!TryHold(out int descriptor))
        {
            return SocketError.OperationAborted;
        }

        nint count;
        SocketError error = SocketError.Success;
        var message = new Native.Message(pieces, pieceCount);
        while ((count = Native.SendGathered(descriptor, &message, Native.NoSignal)) < 0
            && (error = Native.LastError()) == SocketError.Interrupted)
        {
        }

        Release();
        return count < 0 ? Unsent(error) : Sent(count, out sent);
    }

    private SocketError Sent(nint count, out int sent)
    {
        sent = (int)count;
        _progress.AddSent(sent);
        return SocketError.Success;
    }

    // Once a send has reported a reset, a receive says that the stream has ended.
    private bool IsReset() =>
        !_progress.HasEndedOutput && TryGetInfo(out TcpInfo info) && info.State == TcpInfo.Closed;

    private bool TryGetInfo(out TcpInfo info)
    {
        info = default;
        if (_kind != SocketKind.Tcp || !TryHold(out int descriptor))
        {
            return false;
        }

        byte* value = stackalloc byte[TcpInfo.Size];
        int size = TcpInfo.Size;
        int result = Native.GetOption(descriptor, TcpInfo.Level, TcpInfo.Option, value, &size);
        Release();
        return result == 0 && TcpInfo.TryParse(new ReadOnlySpan<byte>(value, size), out info);
    }
}
