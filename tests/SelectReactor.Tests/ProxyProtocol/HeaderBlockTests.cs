using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>Version 2 of the PROXY protocol: what is a header, what is none, and how it is written.</summary>
public sealed class HeaderBlockTests
{
    private static byte[] IPv6Block { get; } =
    [
        .. IPAddress.Parse("2001:db8::1").GetAddressBytes(), .. IPAddress.Parse("::1").GetAddressBytes(), 0, 1, 0, 2,
    ];

    [TestCase(0x11, false)]
    [TestCase(0x12, true)]
    public void IPv4Addresses_AreRead(byte family, bool isDatagram)
    {
        ProxyHeader header =
            HeaderBytes.Read(HeaderBytes.Of(HeaderBytes.Proxy, family, HeaderBytes.IPv4Block));

        Assert.That(header.Source, Is.EqualTo(HeaderBytes.Source));
        Assert.That(header.Destination, Is.EqualTo(HeaderBytes.Destination));
        Assert.That(header.Version, Is.EqualTo(ProxyProtocolVersion.Version2));
        Assert.That(header.Command, Is.EqualTo(ProxyCommand.Proxy));
        Assert.That(header.IsDatagram, Is.EqualTo(isDatagram));
        Assert.That(header.HasChecksum, Is.False);
    }

    [Test]
    public void IPv6Addresses_AreRead()
    {
        ProxyHeader header = HeaderBytes.Read(HeaderBytes.Of(HeaderBytes.Proxy, 0x21, IPv6Block));

        Assert.That(header.Source, Is.EqualTo(IPEndPoint.Parse("[2001:db8::1]:1")));
        Assert.That(header.Destination, Is.EqualTo(IPEndPoint.Parse("[::1]:2")));
    }

    [TestCase("/run/client.sock", "/run/server.sock")]
    [TestCase("\0abstract", "/run/server.sock")]
    public void UnixAddresses_AreRead(string source, string destination)
    {
        byte[] block = new byte[216];
        Encoding.UTF8.GetBytes(source, block);
        Encoding.UTF8.GetBytes(destination, block.AsSpan(108));
        ProxyHeader header = HeaderBytes.Read(HeaderBytes.Of(HeaderBytes.Proxy, 0x31, block));

        Assert.That(header.Source, Is.EqualTo(new UnixDomainSocketEndPoint(source)));
        Assert.That(header.Destination, Is.EqualTo(new UnixDomainSocketEndPoint(destination)));
        Assert.That(HeaderBytes.Of(header), Is.EqualTo(HeaderBytes.Of(HeaderBytes.Proxy, 0x31, block)));
    }

    // A client rarely binds its socket, and a path may fill the field without a zero.
    [Test]
    public void AUnixAddressWithoutAPath_OrOfFullLength_IsRead([Values((byte)0, (byte)'x', (byte)0xff)] byte fill)
    {
        byte[] block = new byte[216];
        block.AsSpan().Fill(fill);
        ProxyHeader header = HeaderBytes.Read(HeaderBytes.Of(HeaderBytes.Proxy, 0x31, block));

        Assert.That(header.Source, Is.InstanceOf<UnixDomainSocketEndPoint>());
        Assert.That(header.Source!.ToString(), Has.Length.EqualTo(fill == 0 ? 0 : 108));
        Assert.That(() => HeaderBytes.Of(header), Throws.Nothing);
        Assert.That(header.ToString(), Does.StartWith("PROXY header"));
    }

    // Some readers take LOCAL without a block for a header that is not complete.
    [Test]
    public void Local_IsReadWithoutAndWithABlock()
    {
        byte[][] headers =
        [
            HeaderBytes.Of(HeaderBytes.Local, 0),
            HeaderBytes.Of(HeaderBytes.Local, HeaderBytes.Tcp4, HeaderBytes.IPv4Block),
            HeaderBytes.Of(HeaderBytes.Local, HeaderBytes.Tcp4),
            HeaderBytes.Of(HeaderBytes.Local, 0, [1, 2, 3, 4, 5]),
            HeaderBytes.Of(HeaderBytes.Local, 0xFF, new byte[300]),
        ];

        foreach (byte[] bytes in headers)
        {
            ProxyHeader header = HeaderBytes.Read(bytes);
            Assert.That(header.Command, Is.EqualTo(ProxyCommand.Local));
            Assert.That(header.Source, Is.Null);
            Assert.That(header.Tlvs, Is.Empty);
        }
    }

    [TestCase(0x00)]
    [TestCase(0x01)]
    [TestCase(0x10)]
    public void Unspecified_IsReadWithoutAddresses_WhateverFollows(byte family)
    {
        byte[][] blocks = [[], HeaderBytes.IPv4Block, new byte[33], [9, 9, 9, 9]];
        foreach (byte[] block in blocks.Where(block => family != 0x10 || block.Length >= 12))
        {
            ProxyHeader header = HeaderBytes.Read(HeaderBytes.Of(HeaderBytes.Proxy, family, block));
            Assert.That(header.Command, Is.EqualTo(ProxyCommand.Proxy));
            Assert.That(header.Source, Is.Null);
            Assert.That(header.Destination, Is.Null);
        }
    }

    [TestCase(0x31, 0x11, TestName = "version 3")]
    [TestCase(0x11, 0x11, TestName = "version 1")]
    [TestCase(0x22, 0x11, TestName = "an unknown command")]
    [TestCase(0x2F, 0x11, TestName = "another unknown command")]
    [TestCase(0x21, 0x41, TestName = "an unknown family")]
    [TestCase(0x21, 0x13, TestName = "an unknown protocol")]
    public void AnUnknownValue_IsMalformed(byte command, byte family) =>
        Assert.That(
            HeaderBytes.Decode(HeaderBytes.Of(command, family, HeaderBytes.IPv4Block)).Status,
            Is.EqualTo(DecodeStatus.Malformed));

    [TestCase(0x11, 11)]
    [TestCase(0x21, 35)]
    [TestCase(0x31, 215)]
    [TestCase(0x12, 0)]
    public void ABlockThatIsTooShort_IsMalformed(byte family, int length) =>
        Assert.That(
            HeaderBytes.Decode(HeaderBytes.Of(HeaderBytes.Proxy, family, new byte[length])).Status,
            Is.EqualTo(DecodeStatus.Malformed));

    // "\r\n" alone may still become a header, and an empty line of another protocol must not wait.
    [Test]
    public void AWrongSignature_IsMalformedAtTheFirstWrongByte()
    {
        byte[] good = HeaderBytes.Of(HeaderBytes.Proxy, HeaderBytes.Tcp4, HeaderBytes.IPv4Block);
        for (int i = 0; i <= 12; i++)
        {
            byte[] start = good[..(i + 1)];
            Assert.That(HeaderBytes.Decode(start).Status, Is.EqualTo(DecodeStatus.NeedMore), $"{i}");
            start[i] ^= 0x40;
            Assert.That(HeaderBytes.Decode(start).Status, Is.EqualTo(DecodeStatus.Malformed), $"{i}");
        }
    }

    // Some readers take the length for a signed number.
    [Test]
    public void ALengthAbove32767_IsReadAsIt()
    {
        byte[] bytes = HeaderBytes.Of(
            HeaderBytes.Proxy, HeaderBytes.Tcp4, HeaderBytes.IPv4Block, HeaderBytes.Tlv(0xE0, new byte[40_000]));

        ProxyHeader header = HeaderBytes.Read(bytes);
        Assert.That(header.Find((ProxyTlvType)0xE0)?.Length, Is.EqualTo(40_000));
    }

    // L15, F40: nothing is waited for.
    [Test]
    public void AHeaderAboveTheLimit_IsRefusedWhenItsLengthIsRead()
    {
        byte[] bytes = HeaderBytes.Of(
            HeaderBytes.Proxy, HeaderBytes.Tcp4, HeaderBytes.IPv4Block, HeaderBytes.Tlv(0xE0, new byte[100]));

        Assert.That(HeaderBytes.Decode(bytes, bytes.Length).Status, Is.EqualTo(DecodeStatus.Message));
        Assert.That(HeaderBytes.Decode(bytes[..16], bytes.Length).Needed, Is.EqualTo(bytes.Length));
        DecodeResult<ProxyHeader> result = HeaderBytes.Decode(bytes[..16], bytes.Length - 1);
        Assert.That(result.Status, Is.EqualTo(DecodeStatus.TooLong));
        Assert.That(result.Reason, Does.Contain($"{bytes.Length} bytes").And.Contain($"{bytes.Length - 1}"));
    }

    [Test]
    public void ASizeOfEveryKind_IsWrittenAndReadAgain()
    {
        ProxyTlv[] tlvs = [new((ProxyTlvType)0xE1, new byte[65_300])];
        var header = new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination) { Tlvs = tlvs, HasChecksum = true };

        Assert.That(HeaderBytes.Read(HeaderBytes.Of(header)).Tlvs[0].Value.Length, Is.EqualTo(65_300));
        Assert.That(
            static () => new ProxyHeader(null, null) { Tlvs = [new((ProxyTlvType)0xE1, new byte[65_400])] },
            Throws.ArgumentException.With.Message.Contains("65403"));
    }

    [Test]
    public void AFullHeader_IsTooLongToBeKept_AndRefused()
    {
        byte[] bytes = HeaderBytes.Of(HeaderBytes.Local, 0, HeaderBytes.Tlv(0xE0, new byte[65_532]));
        byte[] client = HeaderBytes.Of(
            HeaderBytes.Proxy, HeaderBytes.Tcp4, HeaderBytes.IPv4Block, HeaderBytes.Tlv(0xE0, new byte[65_520]));

        Assert.That(HeaderBytes.Read(bytes).Tlvs, Is.Empty);
        Assert.That(HeaderBytes.Decode(client, int.MaxValue).Status, Is.EqualTo(DecodeStatus.Malformed));
    }

    [Test]
    public void TwoKindsOfAddresses_AreRefused()
    {
        var unix = new UnixDomainSocketEndPoint("/run/a");
        Assert.That(() => new ProxyHeader(unix, HeaderBytes.Destination), Throws.ArgumentException);
        Assert.That(
            () => new ProxyHeader(new DnsEndPoint("example.com", 1), new DnsEndPoint("example.com", 1)),
            Throws.ArgumentException.With.Message.Contains("example.com"));
    }

    [Test]
    public void AHeader_DoesNotFollowItsEndPoints()
    {
        IPEndPoint source = HeaderBytes.Source;
        var header = new ProxyHeader(source, HeaderBytes.Destination);
        source.Port = 1;

        Assert.That(header.Source, Is.EqualTo(HeaderBytes.Source));
    }

    [Test]
    public void WrittenBytes_AreThoseOfTheSpecification()
    {
        Assert.That(
            HeaderBytes.Of(new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination)),
            Is.EqualTo(HeaderBytes.Of(HeaderBytes.Proxy, HeaderBytes.Tcp4, HeaderBytes.IPv4Block)));
        Assert.That(HeaderBytes.Of(ProxyHeader.Local), Is.EqualTo(HeaderBytes.Of(HeaderBytes.Local, 0)));
        Assert.That(
            HeaderBytes.Of(new ProxyHeader(null, null)), Is.EqualTo(HeaderBytes.Of(ProxyHeader.Local)));
    }

    [Test]
    public void OneVersion_CanBeRequired()
    {
        ReadOnlySequence<byte> line = new("PROXY UNKNOWN\r\n"u8.ToArray());
        ReadOnlySequence<byte> block = new(HeaderBytes.Of(HeaderBytes.Local, 0));
        var first = new ProxyHeaderDecoder(100) { Version = ProxyProtocolVersion.Version1 };
        var second = new ProxyHeaderDecoder(100) { Version = ProxyProtocolVersion.Version2 };

        Assert.That(first.Decode(line, 0).Status, Is.EqualTo(DecodeStatus.Message));
        Assert.That(second.Decode(block, 0).Status, Is.EqualTo(DecodeStatus.Message));
        Assert.That(second.Decode(line.Slice(0, 1), 0).Status, Is.EqualTo(DecodeStatus.Malformed), "at once");
        Assert.That(first.Decode(block.Slice(0, 1), 0).Reason, Does.Contain("Version1"));
    }
}
