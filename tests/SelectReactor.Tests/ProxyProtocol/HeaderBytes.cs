using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>Headers as bytes, written out by hand.</summary>
internal static class HeaderBytes
{
    public const int MaxBytes = 4096;

    /// <summary>Version 2, PROXY, TCP over IPv4.</summary>
    public const byte Proxy = 0x21;

    public const byte Local = 0x20;

    public const byte Tcp4 = 0x11;

    /// <summary>192.0.2.1:56324 to 198.51.100.2:443.</summary>
    public static byte[] IPv4Block => [192, 0, 2, 1, 198, 51, 100, 2, 0xDC, 0x04, 0x01, 0xBB];

    public static IPEndPoint Source => IPEndPoint.Parse("192.0.2.1:56324");

    public static IPEndPoint Destination => IPEndPoint.Parse("198.51.100.2:443");

    public static byte[] Signature => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    public static byte[] Of(byte command, byte family, params byte[][] blocks)
    {
        byte[] block = [.. blocks.SelectMany(static part => part)];
        byte[] length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)block.Length);
        return [.. Signature, command, family, .. length, .. block];
    }

    public static byte[] Tlv(byte type, params byte[] value)
    {
        byte[] length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)value.Length);
        return [type, .. length, .. value];
    }

    public static byte[] Tlv(byte type, string value) => Tlv(type, Encoding.UTF8.GetBytes(value));

    public static byte[] Of(ProxyHeader header)
    {
        var output = new ArrayBufferWriter<byte>();
        header.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    public static DecodeResult<ProxyHeader> Decode(byte[] bytes, int maxBytes = MaxBytes) =>
        new ProxyHeaderDecoder(maxBytes).Decode(new ReadOnlySequence<byte>(bytes), examined: 0);

    /// <summary>The header of bytes that must be one, and nothing else.</summary>
    public static ProxyHeader Read(byte[] bytes)
    {
        DecodeResult<ProxyHeader> result = Decode(bytes, maxBytes: int.MaxValue);
        Assert.That(result.Status, Is.EqualTo(DecodeStatus.Message), result.Reason);
        Assert.That(result.Consumed, Is.EqualTo(bytes.Length));
        return result.Message;
    }

    public static ProxyHeader Read(string line) => Read(Encoding.Latin1.GetBytes(line));
}
