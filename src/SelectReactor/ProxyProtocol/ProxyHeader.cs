using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SelectReactor.ProxyProtocol;

namespace SelectReactor;

/// <summary>
/// What a proxy tells the server about a client, before the client's bytes (the PROXY protocol's specification by
/// HAProxy). A server gets it from <see cref="IProxyProtocolFeature"/>, and a proxy of your own sends it by
/// <see cref="ConnectOptions.ProxyProtocol"/>. It can't change: any thread.
/// </summary>
public sealed class ProxyHeader
{
    /// <summary>A header for the connection of a client.</summary>
    /// <param name="source">The client's address: an <see cref="IPEndPoint"/> or a
    /// <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="destination">The address that the client connected to, of the same kind. If either of the two is
    /// null, the addresses are unknown. Version 2 then writes <see cref="ProxyCommand.Local"/>, as HAProxy does, which
    /// refuses the form that the specification has for this.</param>
    /// <exception cref="ArgumentException">The end points are of different or of other kinds.</exception>
    public ProxyHeader(EndPoint? source, EndPoint? destination)
        : this(ProxyCommand.Proxy, source, destination)
    {
    }

    /// <summary>The addresses of a local header are not looked at.</summary>
    internal ProxyHeader(ProxyCommand command, EndPoint? source, EndPoint? destination)
    {
        Command = command;
        if (command == ProxyCommand.Local || source is null || destination is null)
        {
            return;
        }

        if ((source, destination)
            is not ((IPEndPoint, IPEndPoint) or (UnixDomainSocketEndPoint, UnixDomainSocketEndPoint)))
        {
            throw new ArgumentException(
                $"A PROXY header has two IP addresses or two Unix-domain addresses, not {source} and {destination}.",
                nameof(source));
        }

        Source = AddressBlock.Copy(source);
        Destination = AddressBlock.Copy(destination);
    }

    /// <summary>A header of version 2 for a connection that the proxy makes for itself
    /// (<see cref="ProxyCommand.Local"/>).</summary>
    public static ProxyHeader Local { get; } =
        new(ProxyCommand.Local, source: null, destination: null);

    /// <summary>The form in which it is written, or was received. Default: version 2.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such version.</exception>
    public ProxyProtocolVersion Version
    {
        get;
        init => field = Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "There is no such version.");
    } = ProxyProtocolVersion.Version2;

    /// <summary>For whom the proxy has made the connection.</summary>
    public ProxyCommand Command { get; }

    /// <summary>The client's address. Null if it is unknown, and for <see cref="ProxyCommand.Local"/>.</summary>
    public EndPoint? Source { get; }

    /// <summary>The address that the client connected to. Null if <see cref="Source"/> is.</summary>
    public EndPoint? Destination { get; }

    /// <summary>Whether <see cref="Source"/> used datagrams (UDP) to talk to the proxy.</summary>
    public bool IsDatagram { get; init; }

    /// <summary>Whether the header has a checksum (CRC32c). One that was received has been verified. Default:
    /// false.</summary>
    public bool HasChecksum { get; init; }

    /// <summary>Facts about the client in the order of the header, without the checksum and padding. Version 1 has no
    /// place for them and leaves them out. The list is copied. Default: none.</summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    /// <exception cref="ArgumentException">It contains a checksum, or is too long for the header.</exception>
    public IReadOnlyList<ProxyTlv> Tlvs
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = Verified([.. value]);
        }
    } = [];

    /// <summary>The protocol that the client negotiated with the proxy (ALPN). Empty if it is not told.</summary>
    public ReadOnlyMemory<byte> Alpn => Find(ProxyTlvType.Alpn) ?? default;

    /// <summary>The host name that the client asked for. The client chose the text: check it before you use it. Null
    /// if it is not told.</summary>
    public string? Authority => TextOf(ProxyTlvType.Authority);

    /// <summary>What identifies the connection in the logs of all proxies. Empty if it is not told.</summary>
    public ReadOnlyMemory<byte> UniqueId => Find(ProxyTlvType.UniqueId) ?? default;

    /// <summary>The name of the proxy's network namespace. Null if it is not told.</summary>
    public string? NetworkNamespace => TextOf(ProxyTlvType.NetworkNamespace);

    /// <summary>Facts about the client's TLS connection to the proxy. Null if there are none.</summary>
    /// <exception cref="ArgumentException">Only of a header that was not received: the value has a wrong
    /// form.</exception>
    public ProxyClientTls? Tls => Find(ProxyTlvType.Tls) is { } value
        ? ProxyClientTls.IsValid(value.Span)
            ? ProxyClientTls.Read(value)
            : throw new ArgumentException($"The value of type {ProxyTlvType.Tls} has a wrong form.")
        : null;

    /// <summary>The first value of a type. Null if there is none.</summary>
    /// <param name="type">Also one of an application, such as <c>(ProxyTlvType)0xE0</c>.</param>
    public ReadOnlyMemory<byte>? Find(ProxyTlvType type)
    {
        foreach (ProxyTlv tlv in Tlvs)
        {
            if (tlv.Type == type)
            {
                return tlv.Value;
            }
        }

        return null;
    }

    /// <summary>Writes the header in the form of <see cref="Version"/>. IPv4 and IPv6 addresses of one header are
    /// both written as IPv6. Version 1 says of other than IP addresses that they are unknown.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="output"/> is null.</exception>
    public void WriteTo(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (Version == ProxyProtocolVersion.Version1)
        {
            HeaderLine.Write(this, output);
        }
        else
        {
            HeaderBlock.Write(this, output);
        }
    }

    /// <summary>The version and the addresses, for messages.</summary>
    public override string ToString() => (Command, Source) switch
    {
        (ProxyCommand.Local, _) => $"PROXY header of {Version}, local",
        (_, null) => $"PROXY header of {Version}, addresses unknown",
        _ => $"PROXY header of {Version}, {Source} to {Destination}",
    };

    private static ProxyTlv[] Verified(ProxyTlv[] tlvs)
    {
        long bytes = 0;
        foreach (ProxyTlv tlv in tlvs)
        {
            bytes += TlvBlock.HeaderBytes + tlv.Value.Length;
            if (tlv.Type == ProxyTlvType.Checksum)
            {
                throw new ArgumentException(
                    $"A checksum is computed when the header is written: set {nameof(HasChecksum)} instead.",
                    nameof(tlvs));
            }
        }

        if (bytes > HeaderBlock.MaxTlvBytes)
        {
            throw new ArgumentException(
                $"They take {bytes} bytes, and a header has room for {HeaderBlock.MaxTlvBytes}.", nameof(tlvs));
        }

        return tlvs;
    }

    private string? TextOf(ProxyTlvType type) =>
        Find(type) is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;
}
