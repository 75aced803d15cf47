using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.ProxyProtocol;

/// <summary>Version 2: a signature, four bytes of what follows, two addresses, and further values.</summary>
internal static class HeaderBlock
{
    /// <summary>What a header always has room for, whatever its addresses and with a checksum.</summary>
    public const int MaxTlvBytes = ushort.MaxValue - AddressBlock.UnixBytes - ChecksumTlvBytes;

    private const int FixedBytes = 16;
    private const int CommandOffset = 12;
    private const int FamilyOffset = 13;
    private const int LengthOffset = 14;
    private const int ChecksumTlvBytes = TlvBlock.HeaderBytes + sizeof(uint);
    private const byte VersionBits = 0x20;
    private const byte ProxyBit = 0x01;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private enum Family : byte
    {
        Unspecified = 0x00,
        IPv4 = 0x10,
        IPv6 = 0x20,
        Unix = 0x30,
    }

    private enum Transport : byte
    {
        Unspecified = 0x00,
        Stream = 0x01,
        Datagram = 0x02,
    }

    /// <summary>Reads a header at the start of the input, which is not empty.</summary>
    public static DecodeResult<ProxyHeader> Read(in ReadOnlySequence<byte> input, int maxBytes)
    {
        Span<byte> start = stackalloc byte[FixedBytes];
        int seen = (int)Math.Min(input.Length, FixedBytes);
        start = start[..seen];
        input.Slice(0, seen).CopyTo(start);
        if (!start[..Math.Min(seen, Signature.Length)].SequenceEqual(Signature[..Math.Min(seen, Signature.Length)]))
        {
            return ProxyHeaderDecoder.NoHeader(start);
        }

        if (seen > CommandOffset && FaultOf(start[CommandOffset]) is { } fault)
        {
            return DecodeResult.Malformed(fault);
        }

        if (seen < FixedBytes)
        {
            return DecodeResult.NeedMore(FixedBytes);
        }

        int length = FixedBytes + BinaryPrimitives.ReadUInt16BigEndian(start[LengthOffset..]);
        if (length > maxBytes)
        {
            return DecodeResult.TooLong($"A PROXY header of {length} bytes is longer than the limit of {maxBytes}.");
        }

        return input.Length < length
            ? DecodeResult.NeedMore(length)
            : Parse(input.Slice(0, length).ToArray());
    }

    public static void Write(ProxyHeader header, IBufferWriter<byte> output)
    {
        // All in one piece, since the checksum comes before the end and covers everything.
        var buffer = new ArrayBufferWriter<byte>(FixedBytes + AddressBlock.UnixBytes);
        buffer.Advance(WriteStart(header, buffer.GetSpan(FixedBytes + AddressBlock.UnixBytes)));
        int checksumAt = buffer.WrittenCount + TlvBlock.HeaderBytes;
        if (header.HasChecksum)
        {
            TlvBlock.Write((byte)ProxyTlvType.Checksum, [0, 0, 0, 0], buffer);
        }

        foreach (ProxyTlv tlv in header.Tlvs)
        {
            TlvBlock.Write((byte)tlv.Type, tlv.Value.Span, buffer);
        }

        Span<byte> room = output.GetSpan(buffer.WrittenCount);
        buffer.WrittenSpan.CopyTo(room);
        room = room[..buffer.WrittenCount];
        BinaryPrimitives.WriteUInt16BigEndian(room[LengthOffset..], (ushort)(room.Length - FixedBytes));
        if (header.HasChecksum)
        {
            BinaryPrimitives.WriteUInt32BigEndian(room[checksumAt..], HeaderChecksum.Of(room));
        }

        output.Advance(room.Length);
    }

    private static int WriteStart(ProxyHeader header, Span<byte> room)
    {
        Signature.CopyTo(room);

        // HAProxy refuses the command "proxy" without addresses, and sends "local" itself.
        room[CommandOffset] = (byte)(VersionBits | (header.Source is null ? 0 : ProxyBit));
        Transport transport = header.IsDatagram ? Transport.Datagram : Transport.Stream;
        Span<byte> block = room[FixedBytes..];
        switch ((header.Source, header.Destination))
        {
            case (IPEndPoint source, IPEndPoint destination):
                (source, destination) = AddressBlock.InOneFamily(source, destination);
                AddressBlock.Write(source, destination, block);
                bool isIPv4 = source.AddressFamily == AddressFamily.InterNetwork;
                room[FamilyOffset] = (byte)((byte)(isIPv4 ? Family.IPv4 : Family.IPv6) | (byte)transport);
                return FixedBytes + (isIPv4 ? AddressBlock.IPv4Bytes : AddressBlock.IPv6Bytes);
            case (UnixDomainSocketEndPoint source, UnixDomainSocketEndPoint destination):
                AddressBlock.Write(source, destination, block);
                room[FamilyOffset] = (byte)((byte)Family.Unix | (byte)transport);
                return FixedBytes + AddressBlock.UnixBytes;
            default:
                room[FamilyOffset] = 0;
                return FixedBytes;
        }
    }

    private static string? FaultOf(byte versionAndCommand) => (versionAndCommand & 0xF0) != VersionBits
        ? $"A PROXY header has the unknown version {versionAndCommand >> 4}."
        : (versionAndCommand & 0x0F) > ProxyBit
            ? $"A PROXY header has the unknown command {versionAndCommand & 0x0F}."
            : null;

    private static DecodeResult<ProxyHeader> Parse(byte[] header)
    {
        ProxyCommand command = (header[CommandOffset] & ProxyBit) != 0 ? ProxyCommand.Proxy : ProxyCommand.Local;
        var family = (Family)(header[FamilyOffset] & 0xF0);
        var transport = (Transport)(header[FamilyOffset] & 0x0F);
        int addressBytes = SizeOf(family);
        ReadOnlySpan<byte> block = header.AsSpan(FixedBytes);
        if (command == ProxyCommand.Proxy)
        {
            if (addressBytes < 0 || transport > Transport.Datagram)
            {
                return DecodeResult.Malformed(
                    $"A PROXY header has the unknown family and protocol 0x{header[FamilyOffset]:X2}.");
            }

            if (block.Length < addressBytes)
            {
                return DecodeResult.Malformed(
                    $"A PROXY header of {header.Length} bytes is too short for addresses of {addressBytes}.");
            }
        }

        // Without addresses nothing says where further values begin, and what follows may be ignored.
        bool hasAddresses = command == ProxyCommand.Proxy
            && family != Family.Unspecified && transport != Transport.Unspecified;
        bool hasTlvs = addressBytes >= 0 && block.Length >= addressBytes;
        var tlvs = new ReceivedTlvs(header, hasTlvs ? FixedBytes + addressBytes : header.Length);
        if (tlvs.Read() is { } fault)
        {
            if (hasAddresses || tlvs.IsChecksumWrong)
            {
                return DecodeResult.Malformed(fault);
            }

            tlvs = new ReceivedTlvs(header, header.Length);
        }

        (EndPoint? source, EndPoint? destination) = !hasAddresses ? (null, null)
            : family == Family.Unix ? AddressBlock.ReadUnix(block[..addressBytes])
            : AddressBlock.ReadIP(block[..addressBytes]);
        return DecodeResult.Message(
            new ProxyHeader(command, source, destination)
            {
                IsDatagram = hasAddresses && transport == Transport.Datagram,
                HasChecksum = tlvs.HasChecksum,
                Tlvs = tlvs.Values,
            },
            header.Length);
    }

    private static int SizeOf(Family family) => family switch
    {
        Family.Unspecified => 0,
        Family.IPv4 => AddressBlock.IPv4Bytes,
        Family.IPv6 => AddressBlock.IPv6Bytes,
        Family.Unix => AddressBlock.UnixBytes,
        _ => -1,
    };
}
