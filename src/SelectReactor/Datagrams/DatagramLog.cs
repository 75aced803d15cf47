using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Selection;

namespace SelectReactor.Datagrams;

/// <summary>Messages about datagram sockets. A class of its own: of a class in two files, the generator would write
/// the messages in either order, and a build would not give the same bytes twice.</summary>
internal static partial class DatagramLog
{
    [LoggerMessage(90, LogLevel.Debug, "The datagram socket on {EndPoint} opened.")]
    public static partial void Opened(ILogger logger, EndPointText endPoint);

    [LoggerMessage(91, LogLevel.Debug, "The datagram socket on {EndPoint} closed: {Kind}.")]
    public static partial void Closed(
        ILogger logger, EndPointText endPoint, string kind, Exception? error);

    [LoggerMessage(
        92, LogLevel.Debug, "The network reported {Error} to the datagram socket on {EndPoint}. It goes on.")]
    public static partial void NetworkError(ILogger logger, SocketError error, EndPointText endPoint);

    [LoggerMessage(93, LogLevel.Debug, "The datagram socket on {EndPoint} could not send a datagram: {Error}.")]
    public static partial void Unsent(ILogger logger, EndPointText endPoint, SocketError error);

    [LoggerMessage(
        94, LogLevel.Warning,
        "Receiving datagrams on {EndPoint} pauses for {Pause}: it fails again and again ({Error}).")]
    public static partial void Paused(
        ILogger logger, EndPointText endPoint, TimeSpan pause, SocketError error);

    [LoggerMessage(
        95, LogLevel.Error,
        "The handler of the datagram socket on {EndPoint} threw an exception in {Callback}. {Consequence}{Omitted}")]
    public static partial void HandlerFault(
        ILogger logger,
        EndPointText endPoint,
        string callback,
        string consequence,
        string omitted,
        Exception exception);

    [LoggerMessage(
        96, LogLevel.Warning,
        "The system says again and again that a datagram has arrived on {EndPoint}, and there is none. From now on "
            + "receiving pauses for {Pause} each time. An option such as IP_RECVERR, or a shutdown of the socket, may "
            + "be the cause.")]
    public static partial void Missing(ILogger logger, EndPointText endPoint, TimeSpan pause);
}
