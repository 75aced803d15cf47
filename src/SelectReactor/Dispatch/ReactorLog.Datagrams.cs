using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Selection;

namespace SelectReactor.Dispatch;

/// <content>Messages about datagram sockets.</content>
internal static partial class ReactorLog
{
    [LoggerMessage(90, LogLevel.Debug, "The datagram socket on {EndPoint} opened.")]
    public static partial void DatagramSocketOpened(ILogger logger, EndPointText endPoint);

    [LoggerMessage(91, LogLevel.Debug, "The datagram socket on {EndPoint} closed: {Kind}.")]
    public static partial void DatagramSocketClosed(
        ILogger logger, EndPointText endPoint, string kind, Exception? error);

    [LoggerMessage(
        92, LogLevel.Debug, "The network reported {Error} to the datagram socket on {EndPoint}. It goes on.")]
    public static partial void DatagramError(ILogger logger, SocketError error, EndPointText endPoint);

    [LoggerMessage(93, LogLevel.Debug, "The datagram socket on {EndPoint} could not send a datagram: {Error}.")]
    public static partial void DatagramUnsent(ILogger logger, EndPointText endPoint, SocketError error);

    [LoggerMessage(
        94, LogLevel.Warning,
        "Receiving datagrams on {EndPoint} pauses for {Pause}: it fails again and again ({Error}).")]
    public static partial void DatagramsPaused(
        ILogger logger, EndPointText endPoint, TimeSpan pause, SocketError error);

    [LoggerMessage(
        95, LogLevel.Error,
        "The handler of the datagram socket on {EndPoint} threw an exception in {Callback}. {Consequence}{Omitted}")]
    public static partial void DatagramHandlerFault(
        ILogger logger,
        EndPointText endPoint,
        string callback,
        string consequence,
        string omitted,
        Exception exception);
}
