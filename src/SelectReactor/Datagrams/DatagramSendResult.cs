namespace SelectReactor;

/// <summary>What became of one datagram that was to be sent. Each result but <see cref="Sent"/> means that it was not
/// sent.</summary>
public enum DatagramSendResult
{
    /// <summary>The system has taken it. Whether it arrives nobody tells.</summary>
    Sent,

    /// <summary>There is no room for it now. <see cref="IDatagramHandler.OnWritable"/> tells when there may be
    /// again.</summary>
    WouldBlock,

    /// <summary>It is too long: for the protocol (UDP carries 65,507 bytes over IPv4), for the send buffer, or with
    /// <see cref="DatagramOptions.DontFragment"/> for the path.</summary>
    TooLong,

    /// <summary>There is no way to the receiver: no route, or on a Unix-domain socket no receiver. The next one may
    /// be sent.</summary>
    Unreachable,

    /// <summary>The system does not permit it: a firewall, or a broadcast without
    /// <see cref="DatagramOptions.Broadcast"/>.</summary>
    Denied,

    /// <summary>The system reported another error, which is logged at the level Debug.</summary>
    Failed,

    /// <summary>The socket is closed.</summary>
    Closed,
}
