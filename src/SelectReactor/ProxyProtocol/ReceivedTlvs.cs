using System.Buffers.Binary;

namespace SelectReactor.ProxyProtocol;

/// <summary>Reads and checks the values behind the addresses of a received header.</summary>
/// <param name="header">The whole header. It is kept, and the values are parts of it.</param>
/// <param name="start">Where the first value begins.</param>
internal struct ReceivedTlvs(byte[] header, int start)
{
    private List<ProxyTlv>? _values;

    /// <summary>The values without checksum and padding.</summary>
    public readonly IReadOnlyList<ProxyTlv> Values => _values ?? [];

    /// <summary>Whether there was a checksum. If so, it is right.</summary>
    public bool HasChecksum { get; private set; }

    /// <summary>Whether the values are well-formed and the checksum is wrong.</summary>
    public bool IsChecksumWrong { get; private set; }

    /// <summary>Reads them all.</summary>
    /// <returns>What is wrong with them. Null if nothing is.</returns>
    public string? Read()
    {
        int checksumAt = -1;
        int bytes = 0;
        ReadOnlySpan<byte> rest = header.AsSpan(start);
        while (TlvBlock.TryTake(ref rest, out byte type, out ReadOnlySpan<byte> value))
        {
            int at = header.Length - rest.Length - value.Length;
            switch ((ProxyTlvType)type)
            {
                case ProxyTlvType.Checksum when value.Length != sizeof(uint) || checksumAt >= 0:
                    return "A PROXY header has a checksum of a wrong form.";
                case ProxyTlvType.Checksum:
                    checksumAt = at;
                    break;
                case ProxyTlvType.Padding:
                    break;
                case ProxyTlvType.UniqueId when value.Length > ProxyTlv.MaxUniqueIdBytes:
                    return $"A PROXY header has a unique id of more than {ProxyTlv.MaxUniqueIdBytes} bytes.";
                case ProxyTlvType.Tls when !ProxyClientTls.IsValid(value):
                    return "A PROXY header has facts about TLS of a wrong form.";
                default:
                    bytes += TlvBlock.HeaderBytes + value.Length;
                    (_values ??= []).Add(
                        new ProxyTlv((ProxyTlvType)type, header.AsMemory(at, value.Length)));
                    break;
            }
        }

        if (!rest.IsEmpty)
        {
            return "A PROXY header ends inside a value.";
        }

        if (bytes > HeaderBlock.MaxTlvBytes)
        {
            return $"A PROXY header has values of {bytes} bytes, and the limit is {HeaderBlock.MaxTlvBytes}.";
        }

        if (checksumAt >= 0)
        {
            HasChecksum = true;
            IsChecksumWrong = !Verify(header.AsSpan(), checksumAt);
        }

        return IsChecksumWrong ? "A PROXY header has a wrong checksum." : null;
    }

    // It was computed with zeros in its place.
    private static bool Verify(Span<byte> bytes, int at)
    {
        Span<byte> field = bytes.Slice(at, sizeof(uint));
        uint checksum = BinaryPrimitives.ReadUInt32BigEndian(field);
        field.Clear();
        return HeaderChecksum.Of(bytes) == checksum;
    }
}
