using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SelectReactor.ProxyProtocol;

/// <summary>Version 1: a line of text.</summary>
internal static class HeaderLine
{
    /// <summary>With the end of the line.</summary>
    public const int MaxBytes = 107;

    private static readonly SearchValues<byte> _ofIPv6 = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private static ReadOnlySpan<byte> Signature => "PROXY "u8;

    private static ReadOnlySpan<byte> Unknown => "PROXY UNKNOWN\r\n"u8;

    /// <summary>Reads a header at the start of the input, which is not empty.</summary>
    public static DecodeResult<ProxyHeader> Read(in ReadOnlySequence<byte> input)
    {
        Span<byte> start = stackalloc byte[MaxBytes];
        int seen = (int)Math.Min(input.Length, MaxBytes);
        start = start[..seen];
        input.Slice(0, seen).CopyTo(start);
        int known = Math.Min(seen, Signature.Length);
        if (!start[..known].SequenceEqual(Signature[..known]))
        {
            return ProxyHeaderDecoder.NoHeader(start);
        }

        int end = start.IndexOfAny((byte)'\r', (byte)'\n');
        bool endsInCr = end >= 0 && start[end] == '\r';
        if (endsInCr && end + 1 < seen && start[end + 1] == '\n')
        {
            return Parse(start[Signature.Length..end]) is { } header
                ? DecodeResult.Message(header, end + 2)
                : DecodeResult.Malformed("A PROXY line has a wrong form.");
        }

        bool mayGoOn = end < 0 || (endsInCr && end + 1 == seen);
        return !mayGoOn ? DecodeResult.Malformed("A PROXY line ends without CR and LF.")
            : seen == MaxBytes ? DecodeResult.Malformed($"A PROXY line has more than {MaxBytes} bytes.")
            : DecodeResult.NeedMore();
    }

    public static void Write(ProxyHeader header, IBufferWriter<byte> output)
    {
        if (header.Source is not IPEndPoint source || header.Destination is not IPEndPoint destination)
        {
            output.Write(Unknown);
            return;
        }

        (source, destination) = AddressBlock.InOneFamily(source, destination);
        string family = source.AddressFamily == AddressFamily.InterNetwork ? "TCP4" : "TCP6";
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{family} {TextOf(source.Address)} {TextOf(destination.Address)} {source.Port} {destination.Port}");
        output.Write(Signature);
        Encoding.ASCII.GetBytes(line, output);
        output.Write("\r\n"u8);
    }

    // IPAddress writes some IPv6 addresses with dots and some with a scope, which the protocol does not know.
    private static string TextOf(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return address.ToString();
        }

        byte[] bytes = address.GetAddressBytes();
        return string.Join(':', bytes.Chunk(sizeof(ushort)).Select(
            static pair => ((pair[0] << 8) | pair[1]).ToString("x", CultureInfo.InvariantCulture)));
    }

    /// <summary>Reads what stands between the signature and the end of the line.</summary>
    private static ProxyHeader? Parse(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> family = TakeWord(ref line);
        if (family.SequenceEqual("UNKNOWN"u8))
        {
            // Whatever follows is ignored.
            return new ProxyHeader(source: null, destination: null) { Version = ProxyProtocolVersion.Version1 };
        }

        bool isIPv4 = family.SequenceEqual("TCP4"u8);
        if (!isIPv4 && !family.SequenceEqual("TCP6"u8))
        {
            return null;
        }

        return AddressOf(TakeWord(ref line), isIPv4) is { } source
            && AddressOf(TakeWord(ref line), isIPv4) is { } destination
            && TryParseNumber(TakeWord(ref line), ushort.MaxValue, out int sourcePort)
            && TryParseNumber(line, ushort.MaxValue, out int destinationPort)
                ? new ProxyHeader(new IPEndPoint(source, sourcePort), new IPEndPoint(destination, destinationPort))
                {
                    Version = ProxyProtocolVersion.Version1,
                }
                : null;
    }

    // Up to the next space, which is taken, too.
    private static ReadOnlySpan<byte> TakeWord(ref ReadOnlySpan<byte> line)
    {
        int end = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = end < 0 ? line : line[..end];
        line = end < 0 ? default : line[(end + 1)..];
        return word;
    }

    private static IPAddress? AddressOf(ReadOnlySpan<byte> text, bool isIPv4) =>
        isIPv4 ? ParseIPv4(text) : ParseIPv6(text);

    // IPAddress.Parse knows octal and shortened forms, which somebody else may read as another address.
    private static IPAddress? ParseIPv4(ReadOnlySpan<byte> text)
    {
        Span<byte> bytes = stackalloc byte[4];
        for (int i = 0; i < bytes.Length; i++)
        {
            bool isLast = i == bytes.Length - 1;
            int end = isLast ? text.Length : text.IndexOf((byte)'.');
            if (end < 0 || !TryParseNumber(text[..end], byte.MaxValue, out int number))
            {
                return null;
            }

            bytes[i] = (byte)number;
            text = isLast ? default : text[(end + 1)..];
        }

        return new IPAddress(bytes);
    }

    // Neither a scope nor brackets nor a prefix length, but dots in the last 32 bits, as many systems write them.
    private static IPAddress? ParseIPv6(ReadOnlySpan<byte> text)
    {
        if (text.ContainsAnyExcept(_ofIPv6))
        {
            return null;
        }

        if (text.Contains((byte)'.') && ParseIPv4(text[(text.LastIndexOf((byte)':') + 1)..]) is null)
        {
            return null;
        }

        return IPAddress.TryParse(text, out IPAddress? address)
            && address.AddressFamily == AddressFamily.InterNetworkV6
                ? address
                : null;
    }

    private static bool TryParseNumber(ReadOnlySpan<byte> text, int max, out int number)
    {
        number = 0;
        return !text.IsEmpty
            && text.Length <= 5
            && (text[0] != '0' || text.Length == 1)
            && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && Utf8Parser.TryParse(text, out number, out _)
            && number <= max;
    }
}
