using System.Net;
using System.Net.Sockets;
using SelectReactor.Datagrams;

namespace SelectReactor;

/// <summary>Datagram sockets on a <see cref="Reactor"/>.</summary>
public static class DatagramExtensions
{
    /// <summary>Receives datagrams on an address, with default options.</summary>
    /// <inheritdoc cref="BindDatagram(Reactor, EndPoint, IDatagramHandler, DatagramOptions)"/>
    public static DatagramSocket BindDatagram(this Reactor reactor, EndPoint endPoint, IDatagramHandler handler) =>
        DatagramOpening.Bind(reactor, endPoint, handler, DatagramOptions.Default).Run();

    /// <summary>Receives datagrams on an address, and sends from it to any. The socket receives as soon as the loop
    /// runs. Call it on the reactor's thread, or before the loop runs; on other threads call
    /// <c>BindDatagramAsync</c>. The socket does not count for <see cref="ReactorOptions.MaxConnections"/>.</summary>
    /// <param name="reactor">The reactor that serves the socket.</param>
    /// <param name="endPoint">The address: an <see cref="IPEndPoint"/> for UDP, or a
    /// <see cref="UnixDomainSocketEndPoint"/>. With port 0 the system chooses the port; see
    /// <see cref="DatagramSocket.LocalEndPoint"/>. An IPv4 address that is written as IPv6 (::ffff:a.b.c.d) means the
    /// IPv4 address, unless <see cref="DatagramOptions.DualMode"/> is set. The file of a Unix-domain socket that a
    /// killed program left behind is replaced.</param>
    /// <param name="handler">Receives the datagrams.</param>
    /// <param name="options">How to send and receive. They are copied. Where they are left out, the defaults
    /// apply.</param>
    /// <returns>The socket. The reactor closes it when it is disposed or shut down, if you have not done so
    /// before.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="NotSupportedException">The end point is a host name: resolve it first. Or the reactor's
    /// network has no datagrams.</exception>
    /// <exception cref="SocketException">The system refuses the address or an option. The message names it, the error
    /// and a remedy.</exception>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or the method is called on another
    /// thread.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public static DatagramSocket BindDatagram(
        this Reactor reactor, EndPoint endPoint, IDatagramHandler handler, DatagramOptions options) =>
        DatagramOpening.Bind(reactor, endPoint, handler, options).Run();

    /// <summary>Receives datagrams on an address, with default options.</summary>
    /// <inheritdoc cref="BindDatagramAsync(Reactor, EndPoint, IDatagramHandler, DatagramOptions)"/>
    public static Task<DatagramSocket> BindDatagramAsync(
        this Reactor reactor, EndPoint endPoint, IDatagramHandler handler) =>
        DatagramOpening.Bind(reactor, endPoint, handler, DatagramOptions.Default).RunAsync();

    /// <summary>As <see cref="BindDatagram(Reactor, EndPoint, IDatagramHandler, DatagramOptions)"/>, and for any
    /// thread: it binds in a later phase of the loop, for which the task waits.</summary>
    /// <param name="reactor">The reactor that serves the socket.</param>
    /// <param name="endPoint">The address.</param>
    /// <param name="handler">Receives the datagrams.</param>
    /// <param name="options">How to send and receive. They are copied. Where they are left out, the defaults
    /// apply.</param>
    /// <returns>A task with the socket. It fails with what the other method throws. Code that awaits it on the
    /// reactor's thread continues there.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="NotSupportedException">The end point is a host name. Resolve it first.</exception>
    public static Task<DatagramSocket> BindDatagramAsync(
        this Reactor reactor, EndPoint endPoint, IDatagramHandler handler, DatagramOptions options) =>
        DatagramOpening.Bind(reactor, endPoint, handler, options).RunAsync();

    /// <summary>Makes a datagram socket with one peer, with default options.</summary>
    /// <inheritdoc cref="ConnectDatagram(Reactor, EndPoint, IDatagramHandler, DatagramOptions)"/>
    public static DatagramSocket ConnectDatagram(this Reactor reactor, EndPoint endPoint, IDatagramHandler handler) =>
        DatagramOpening.Connect(reactor, endPoint, handler, DatagramOptions.Default).Run();

    /// <summary>Makes a datagram socket with one peer (connect(2)). Nothing is sent, and whether the peer exists is
    /// not asked. The socket sends to that peer only, receives from it only, and is told when it is unreachable
    /// (<see cref="IDatagramHandler.OnError"/>). Call it on the reactor's thread, or before the loop runs; on other
    /// threads call <c>ConnectDatagramAsync</c>.</summary>
    /// <param name="reactor">The reactor that serves the socket.</param>
    /// <param name="endPoint">The address of the peer.</param>
    /// <param name="handler">Receives the datagrams.</param>
    /// <param name="options">How to send and receive. They are copied. Where they are left out, the defaults
    /// apply. A Unix-domain socket needs a <see cref="DatagramOptions.LocalEndPoint"/> to get answers.</param>
    /// <returns>The socket. The reactor closes it when it is disposed or shut down, if you have not done so
    /// before.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The local address in the options is of another family than the
    /// peer.</exception>
    /// <exception cref="NotSupportedException">The end point is a host name: resolve it first. Or the reactor's
    /// network has no datagrams.</exception>
    /// <exception cref="SocketException">The system refuses an address or an option, or has no route to the peer. The
    /// message names it, the error and a remedy.</exception>
    /// <exception cref="InvalidOperationException">The reactor is shutting down, or the method is called on another
    /// thread.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    public static DatagramSocket ConnectDatagram(
        this Reactor reactor, EndPoint endPoint, IDatagramHandler handler, DatagramOptions options) =>
        DatagramOpening.Connect(reactor, endPoint, handler, options).Run();

    /// <summary>Makes a datagram socket with one peer, with default options.</summary>
    /// <inheritdoc cref="ConnectDatagramAsync(Reactor, EndPoint, IDatagramHandler, DatagramOptions)"/>
    public static Task<DatagramSocket> ConnectDatagramAsync(
        this Reactor reactor, EndPoint endPoint, IDatagramHandler handler) =>
        DatagramOpening.Connect(reactor, endPoint, handler, DatagramOptions.Default).RunAsync();

    /// <summary>As <see cref="ConnectDatagram(Reactor, EndPoint, IDatagramHandler, DatagramOptions)"/>, and for any
    /// thread: it makes the socket in a later phase of the loop, for which the task waits.</summary>
    /// <param name="reactor">The reactor that serves the socket.</param>
    /// <param name="endPoint">The address of the peer.</param>
    /// <param name="handler">Receives the datagrams.</param>
    /// <param name="options">How to send and receive. They are copied. Where they are left out, the defaults
    /// apply.</param>
    /// <returns>A task with the socket. It fails with what the other method throws. Code that awaits it on the
    /// reactor's thread continues there.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The local address in the options is of another family than the
    /// peer.</exception>
    /// <exception cref="NotSupportedException">The end point is a host name. Resolve it first.</exception>
    public static Task<DatagramSocket> ConnectDatagramAsync(
        this Reactor reactor, EndPoint endPoint, IDatagramHandler handler, DatagramOptions options) =>
        DatagramOpening.Connect(reactor, endPoint, handler, options).RunAsync();
}
