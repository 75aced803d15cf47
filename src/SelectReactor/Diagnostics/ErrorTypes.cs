using System.Net.Sockets;
using System.Security.Authentication;

namespace SelectReactor.Diagnostics;

/// <summary>Values of the tag <c>error.type</c>: few, and the same on each system.</summary>
internal static class ErrorTypes
{
    public const string TooLong = "too_long";
    public const string SendError = "send_error";
    public const string NetworkError = "network_error";
    public const string Timeout = "timeout";
    public const string Cancelled = "cancelled";
    public const string Authentication = "authentication";

    public static string Of(SocketError error) => SnakeCase.Of(error.ToString());

    public static string Of(Exception error) => error switch
    {
        SocketException socket => Of(socket.SocketErrorCode),
        TimeoutException => Timeout,
        OperationCanceledException => Cancelled,
        AuthenticationException => Authentication,
        { InnerException: SocketException socket } => Of(socket.SocketErrorCode),
        _ => error.GetType().FullName ?? error.GetType().Name,
    };
}
