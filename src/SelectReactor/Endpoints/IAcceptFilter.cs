using System.Net;

namespace SelectReactor;

/// <summary>Who may connect: asked for each client before anything is made for it. See <see cref="AddressRateFilter"/> for
/// one that limits how often an address may come; an allow-list is one line of your own.</summary>
public interface IAcceptFilter
{
    /// <summary>Whether to go on with a client; one that is refused is cut (RST). On the reactor's thread, and it must not
    /// block. An exception refuses the client and is logged.</summary>
    /// <param name="remoteEndPoint">Where it comes from; null when the system can't tell, as for a client that has gone
    /// already. An IPv4 client of a dual-mode listener shows as IPv6 (::ffff:a.b.c.d).</param>
    bool Allows(EndPoint? remoteEndPoint);
}
