using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Diagnostics;

/// <summary>How a connection came about.</summary>
internal enum ConnectionRole
{
    /// <summary>A listener accepted it.</summary>
    Server,

    /// <summary>This side connected.</summary>
    Client,

    /// <summary>Somebody else made it, and the reactor adopted it.</summary>
    Adopted,
}

/// <summary>What the connections that are counted together have in common. Never an address of a peer: there would be
/// too many.</summary>
/// <param name="Role">How they came about.</param>
/// <param name="Transport">The value of <c>network.transport</c>.</param>
/// <param name="Address">The listener's address, or the path of its socket. Null if there is none.</param>
/// <param name="Port">The listener's port.</param>
internal sealed record EndpointTags(ConnectionRole Role, string Transport, string? Address = null, int? Port = null)
{
    public const string Tcp = "tcp";
    public const string Udp = "udp";
    public const string Unix = "unix";

    private KeyValuePair<string, object?>[]? _tags;

    /// <summary>As the tags of a measurement.</summary>
    public KeyValuePair<string, object?>[] Tags => _tags ??= Create();

    public static EndpointTags Server(EndPoint? listening) => listening switch
    {
        IPEndPoint ip => new EndpointTags(ConnectionRole.Server, Tcp, ip.Address.ToString(), ip.Port),
        UnixDomainSocketEndPoint unix => new EndpointTags(ConnectionRole.Server, Unix, unix.ToString()),
        _ => new EndpointTags(ConnectionRole.Server, Tcp, listening?.ToString()),
    };

    public static EndpointTags Client(EndPoint? remote) => new(ConnectionRole.Client, TransportOf(remote));

    public static EndpointTags Adopted(EndPoint? remote) => new(ConnectionRole.Adopted, TransportOf(remote));

    /// <summary>The same without the address.</summary>
    public EndpointTags WithoutAddress() => new(Role, Transport);

    /// <summary>The tags and one more.</summary>
    public KeyValuePair<string, object?>[] With(string name, object? value) =>
        [.. Tags, new KeyValuePair<string, object?>(name, value)];

    public bool Equals(EndpointTags? other) => other is not null
        && (Role, Transport, Address, Port) == (other.Role, other.Transport, other.Address, other.Port);

    public override int GetHashCode() => HashCode.Combine(Role, Transport, Address, Port);

    private static string TransportOf(EndPoint? remote) => remote is UnixDomainSocketEndPoint ? Unix : Tcp;

    private KeyValuePair<string, object?>[] Create()
    {
        List<KeyValuePair<string, object?>> tags =
        [
            new(TagNames.Role, SnakeCase.Of(Role.ToString())),
            new(TagNames.Transport, Transport),
        ];
        if (Address is not null)
        {
            tags.Add(new(TagNames.Address, Address));
        }

        if (Port is not null)
        {
            tags.Add(new(TagNames.Port, Port));
        }

        return [.. tags];
    }
}
