using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SelectReactor.Selection;

namespace SelectReactor.Dispatch;

/// <summary>Every message of the library. The ids are stable: a retired one is not given to another message. All are
/// in one class and file: the generator writes several in either order, and a build would not give the same bytes
/// twice.</summary>
internal static partial class ReactorLog
{
    [LoggerMessage(
        1, LogLevel.Error, "A callback that was posted to the reactor threw an exception. The loop goes on.")]
    public static partial void CallbackFault(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Error, "The callback of a timer threw an exception. The loop goes on.")]
    public static partial void TimerFault(ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "An event handler threw an exception. Its key is cancelled.")]
    public static partial void EventHandlerFault(ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Warning,
        "{Handle} was closed while it was registered. Its key is cancelled. Cancel the key first, and close "
            + "sockets through the library.")]
    public static partial void Evicted(ILogger logger, Handle handle);

    [LoggerMessage(5, LogLevel.Warning,
        "Code after an await came back to a reactor that is disposed. It runs on the thread pool.")]
    public static partial void PostedAfterDispose(ILogger logger);

    [LoggerMessage(6, LogLevel.Critical, "The loop of a reactor thread ended with an exception.")]
    public static partial void LoopFault(ILogger logger, Exception exception);

    [LoggerMessage(8, LogLevel.Critical,
        "Reactor {Number} of {Count} of a group has failed, and its connections are closed. {Rest}")]
    public static partial void GroupReactorFailed(
        ILogger logger, int number, int count, string rest, Exception exception);

    [LoggerMessage(7, LogLevel.Error, "The library failed in serving one connection or listener. The loop goes on.")]
    public static partial void ClientFault(ILogger logger, Exception exception);

    [LoggerMessage(50, LogLevel.Error, "A callback on the Stopping token of a reactor threw an exception.")]
    public static partial void StoppingTokenFault(ILogger logger, Exception exception);

    [LoggerMessage(
        51, LogLevel.Error, "The function that Run was called with threw an exception after Run had returned.")]
    public static partial void MainFault(ILogger logger, Exception exception);

    [LoggerMessage(52, LogLevel.Warning,
        "{Callback} has waited for {Milliseconds} ms so far, and the whole loop with it. Use await, or wait on "
            + "another thread.{Omitted}\n{Stack}")]
    public static partial void CallbackWaits(
        ILogger logger, string callback, int milliseconds, string omitted, StackTrace stack);

    [LoggerMessage(53, LogLevel.Warning,
        "{Callback} has run for {Time} so far, and the whole loop waits for it. Do long work on another "
            + "thread.{Omitted}")]
    public static partial void CallbackIsSlow(ILogger logger, string callback, string time, string omitted);

    [LoggerMessage(
        EventId = 54,
        Message = "{Callback} has ended. The loop goes on. It has waited for the callback for about {Time}.")]
    public static partial void SlowCallbackEnded(ILogger logger, LogLevel level, string callback, string time);

    [LoggerMessage(20, LogLevel.Debug, "Connection {Id} opened: {Local} to {Remote}.")]
    public static partial void Opened(ILogger logger, long id, EndPointText local, EndPointText remote);

    [LoggerMessage(21, LogLevel.Debug, "Connection {Id} closed: {Kind}, {Unsent} bytes unsent.")]
    public static partial void Closed(ILogger logger, long id, string kind, long unsent, Exception? error);

    [LoggerMessage(22, LogLevel.Debug, "Connection {Id} was reset by its peer.")]
    public static partial void PeerReset(ILogger logger, long id);

    [LoggerMessage(
        23, LogLevel.Error, "The handler of connection {Id} threw an exception in {Callback}. The connection closes.")]
    public static partial void HandlerFault(ILogger logger, long id, string callback, Exception exception);

    [LoggerMessage(24, LogLevel.Warning, "Connection {Id} closes: its {Limit} of {Bytes} bytes is exceeded.")]
    public static partial void LimitExceeded(ILogger logger, long id, string limit, long bytes);

    [LoggerMessage(
        25, LogLevel.Error, "A callback on the ConnectionClosed token of connection {Id} threw an exception.")]
    public static partial void ClosedTokenFault(ILogger logger, long id, Exception exception);

    [LoggerMessage(26, LogLevel.Debug,
        "The handler of connection {Id} threw an exception in {Callback} while the connection was closing.")]
    public static partial void HandlerStoppedByClose(ILogger logger, long id, string callback, Exception exception);

    [LoggerMessage(27, LogLevel.Error, "The handler of connection {Id} threw an exception in OnClosed.")]
    public static partial void CloseHandlerFault(ILogger logger, long id, Exception exception);

    [LoggerMessage(28, LogLevel.Debug, "Connection {Id} pauses reading: {Reason}.")]
    public static partial void ReadingPaused(ILogger logger, long id, string reason);

    [LoggerMessage(29, LogLevel.Debug, "Connection {Id} resumes reading.")]
    public static partial void ReadingResumed(ILogger logger, long id);

    [LoggerMessage(30, LogLevel.Debug, "The peer of connection {Id} ended its stream (FIN).")]
    public static partial void InputEnded(ILogger logger, long id);

    [LoggerMessage(31, LogLevel.Debug, "Connection {Id} ended its output (FIN).")]
    public static partial void OutputEnded(ILogger logger, long id);

    [LoggerMessage(32, LogLevel.Debug, "Connection {Id} is cut (RST).")]
    public static partial void ResetSent(ILogger logger, long id);

    [LoggerMessage(33, LogLevel.Error,
        "The handler of connection {Id} threw an exception in {Callback} while the connection was closing. It closes "
            + "all the same.")]
    public static partial void HandlerFaultWhileClosing(ILogger logger, long id, string callback, Exception exception);

    [LoggerMessage(40, LogLevel.Information, "Listening on {EndPoint}.")]
    public static partial void Listening(ILogger logger, EndPointText endPoint);

    [LoggerMessage(41, LogLevel.Debug, "Accepting a connection on {EndPoint} failed: {Error}.")]
    public static partial void AcceptFailed(ILogger logger, EndPointText endPoint, SocketError error);

    [LoggerMessage(42, LogLevel.Warning,
        "Accepting on {EndPoint} pauses for {Pause}: the system is out of resources ({Error}). Raise the limit "
            + "on open files, or accept fewer connections.")]
    public static partial void AcceptExhausted(
        ILogger logger, EndPointText endPoint, TimeSpan pause, SocketError error);

    [LoggerMessage(
        43,
        LogLevel.Error,
        "The handler factory of the listener on {EndPoint} threw an exception. The connection is refused.")]
    public static partial void HandlerFactoryFault(ILogger logger, EndPointText endPoint, Exception exception);

    [LoggerMessage(44, LogLevel.Error, "A connection accepted on {EndPoint} can't be registered and is refused.")]
    public static partial void RegistrationFault(ILogger logger, EndPointText endPoint, Exception exception);

    [LoggerMessage(45, LogLevel.Debug, "A client on {EndPoint} is refused: {Why}.")]
    public static partial void Refused(ILogger logger, EndPointText endPoint, string why);

    [LoggerMessage(66, LogLevel.Warning,
        "Clients on {EndPoint} are refused: a limit on connections is reached, MaxConnections of the listener, of the "
            + "reactor or of the group.{Omitted}")]
    public static partial void RefusedAtLimit(ILogger logger, EndPointText endPoint, string omitted);

    [LoggerMessage(69, LogLevel.Warning,
        "Accepting on {EndPoint} pauses: {Limit}. Further clients wait until a connection closes.{Omitted}")]
    public static partial void AcceptingPausesAtLimit(
        ILogger logger, EndPointText endPoint, ReachedLimit limit, string omitted);

    [LoggerMessage(68, LogLevel.Information,
        "Accepting on {EndPoint} goes on: there is room for a connection again, after {Time}.")]
    public static partial void AcceptingGoesOn(ILogger logger, EndPointText endPoint, string time);

    [LoggerMessage(
        EventId = 65,
        Message = "The client {Client} on {EndPoint} is refused: it is not in ProxyProtocolOptions.TrustedNetworks. "
            + "Only the first such client is a warning.")]
    public static partial void RefusedStranger(
        ILogger logger, LogLevel level, EndPointText client, EndPointText endPoint);

    [LoggerMessage(
        46,
        LogLevel.Error,
        "The accept filter of the listener on {EndPoint} threw an exception. The client is refused.")]
    public static partial void AcceptFilterFault(ILogger logger, EndPointText endPoint, Exception exception);

    [LoggerMessage(47, LogLevel.Error, "Accepting on {EndPoint} threw an exception. It pauses for {Pause}.")]
    public static partial void AcceptFault(ILogger logger, EndPointText endPoint, TimeSpan pause, Exception exception);

    [LoggerMessage(48, LogLevel.Error,
        "The selector refused to change the interest of the listener on {EndPoint}. The listener tries again in "
            + "{Pause}.")]
    public static partial void ListenerInterestFault(
        ILogger logger, EndPointText endPoint, TimeSpan pause, Exception exception);

    [LoggerMessage(
        49, LogLevel.Error, "The selector failed to forget the listener on {EndPoint}.")]
    public static partial void ListenerCloseFault(ILogger logger, EndPointText endPoint, Exception exception);

    [LoggerMessage(
        67, LogLevel.Error,
        "The reactor that accepts on {EndPoint} ends, and another one can't go on. The socket closes, and the clients "
            + "that wait are reset.")]
    public static partial void ListenerMoveFault(ILogger logger, EndPointText endPoint, Exception exception);

    [LoggerMessage(62, LogLevel.Debug, "The client {Remote} on {EndPoint} is dropped: {Why}")]
    public static partial void OpeningFailed(ILogger logger, EndPointText remote, EndPointText endPoint, string why);

    [LoggerMessage(
        63, LogLevel.Warning, "The certificate in {File} can't be reloaded: {Error} The one before it stays in use.")]
    public static partial void CertificateReloadFault(ILogger logger, string file, string error);

    [LoggerMessage(60, LogLevel.Error, "The adopted connection to {EndPoint} can't be registered and is closed.")]
    public static partial void AdoptionFault(ILogger logger, EndPointText endPoint, Exception exception);

    [LoggerMessage(61, LogLevel.Warning, "Accepting on {EndPoint} pauses for {Pause}: it fails ({Error}).")]
    public static partial void AcceptPaused(
        ILogger logger, EndPointText endPoint, TimeSpan pause, SocketError error);

    [LoggerMessage(90, LogLevel.Debug, "The datagram socket on {EndPoint} opened.")]
    public static partial void DatagramSocketOpened(ILogger logger, EndPointText endPoint);

    [LoggerMessage(91, LogLevel.Debug, "The datagram socket on {EndPoint} closed: {Kind}.")]
    public static partial void DatagramSocketClosed(
        ILogger logger, EndPointText endPoint, string kind, Exception? error);

    [LoggerMessage(
        92, LogLevel.Debug, "The network reported {Error} to the datagram socket on {EndPoint}. It goes on.")]
    public static partial void DatagramNetworkError(ILogger logger, SocketError error, EndPointText endPoint);

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

    [LoggerMessage(
        96, LogLevel.Warning,
        "The system says again and again that a datagram has arrived on {EndPoint}, and there is none. From now on "
            + "receiving pauses for {Pause} each time. An option such as IP_RECVERR, or a shutdown of the socket, may "
            + "be the cause.")]
    public static partial void DatagramMissing(ILogger logger, EndPointText endPoint, TimeSpan pause);

    [LoggerMessage(
        97, LogLevel.Error,
        "A listener to the metrics or to the spans of connections threw an exception. The loop goes on. Further ones "
            + "are not logged.")]
    public static partial void MeasurementListenerFault(ILogger logger, Exception exception);
}
