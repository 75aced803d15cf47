using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>Calls of a <see cref="Socket"/> with values in place of exceptions.</summary>
internal static class SocketCall
{
    public static SocketError Try<T>(Socket socket, T argument, Action<Socket, T> action)
    {
        try
        {
            action(socket, argument);
            return SocketError.Success;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
    }

    /// <summary>An end point of a socket; null if it has none or can't tell.</summary>
    public static EndPoint? Ask(Socket socket, Func<Socket, EndPoint?> question)
    {
        try
        {
            return question(socket);
        }
        catch (SocketException)
        {
            return null;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Whether the descriptor of a socket is not a socket, or no longer one.</summary>
    public static bool IsBroken(Socket socket) =>
        Try(socket, 0, static (socket, _) => socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Type))
            != SocketError.Success;

    /// <summary>Whether the system reports an error (POLLERR).</summary>
    public static bool HasError(Socket socket)
    {
        bool hasError = false;
        Try(socket, 0, (socket, _) => hasError = socket.Poll(0, SelectMode.SelectError));
        return hasError;
    }

    /// <summary>Removes a linger time (SO_LINGER), which would make closing block.</summary>
    /// <returns>Whether there was one.</returns>
    public static bool RemoveLinger(Socket socket)
    {
        bool lingers = false;
        Try(socket, 0, (socket, _) => lingers = socket.LingerState is { Enabled: true });
        if (lingers)
        {
            Try(socket, 0, static (socket, seconds) => socket.LingerState = new LingerOption(enable: false, seconds));
        }

        return lingers;
    }
}
