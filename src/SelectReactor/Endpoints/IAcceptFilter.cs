using System.Net;

namespace SelectReactor;

/// <summary>Decides which clients a listener admits. It is asked for each client before a connection is made.
/// <see cref="AddressRateFilter"/> limits how often one address may connect; an allow-list is one line of your
/// own.</summary>
public interface IAcceptFilter
{
    /// <summary>Whether to admit a client. One that is not admitted is reset (RST). Called on the reactor's thread: it
    /// must not block. An exception refuses the client and is logged.</summary>
    /// <param name="remoteEndPoint">The client's address. Null if the system can't tell, for example because the
    /// client has gone already. An IPv4 client of a dual-mode listener has an IPv6 address (::ffff:a.b.c.d). If a
    /// trusted proxy has told the client's address (<see cref="ListenerOptions.ProxyProtocol"/>), it is
    /// this.</param>
    bool Allows(EndPoint? remoteEndPoint);
}
