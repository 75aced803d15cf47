using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>Version 1 of the PROXY protocol: what is a header, what is none, and how it is written.</summary>
public sealed class HeaderLineTests
{
    private static IPEndPoint LongestIPv6 { get; } =
        IPEndPoint.Parse("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");

    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1:56324", "198.51.100.2:443")]
    [TestCase("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0", "255.255.255.255:65535")]
    [TestCase("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "[2001:db8::1]:1", "[::1]:2")]
    [TestCase("PROXY TCP6 2001:DB8:0:0:0:0:0:1 :: 1 2\r\n", "[2001:db8::1]:1", "[::]:2")]
    [TestCase("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "[::ffff:192.0.2.1]:1", "[::1]:2")]
    [TestCase(
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")]
    public void Addresses_AreRead(string line, string source, string destination)
    {
        ProxyHeader header = HeaderBytes.Read(line);

        Assert.That(header.Source, Is.EqualTo(IPEndPoint.Parse(source)));
        Assert.That(header.Destination, Is.EqualTo(IPEndPoint.Parse(destination)));
        Assert.That(header.Version, Is.EqualTo(ProxyProtocolVersion.Version1));
        Assert.That(header.Command, Is.EqualTo(ProxyCommand.Proxy));
        Assert.That(header.Tlvs, Is.Empty);
    }

    // Some readers refuse it.
    [TestCase("PROXY UNKNOWN\r\n")]
    [TestCase("PROXY UNKNOWN \r\n")]
    [TestCase("PROXY UNKNOWN whatever this is\r\n")]
    [TestCase(
        "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
            + "65535 65535\r\n")]
    public void Unknown_IsAHeaderWithoutAddresses(string line)
    {
        ProxyHeader header = HeaderBytes.Read(line);

        Assert.That(header.Source, Is.Null);
        Assert.That(header.Destination, Is.Null);
        Assert.That(header.Command, Is.EqualTo(ProxyCommand.Proxy));
    }

    [Test]
    public void TheLongestLine_Has107Bytes() =>
        Assert.That(
            "PROXY UNKNOWN ".Length + 39 + 1 + 39 + " 65535 65535\r\n".Length, Is.EqualTo(107));

    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n")]
    [TestCase("PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4\t192.0.2.1 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 56324 65536\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 01 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 1e1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 99999999999999999999 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2  443\r\n")]
    [TestCase("PROXY TCP4 192.0.2 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1.1 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2. 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.256 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.01 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4 0xC0.0.2.1 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4 3221225985 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP4 ::1 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 192.0.2.1 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY TCP6 ::1%1 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 [::1] ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 ::1/64 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 1::2::3 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 12345::1 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 1:2:3:4:5:6:7 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 ::ffff:192.0.2.010 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6 ::192.0.2.1:1 ::1 56324 443\r\n")]
    [TestCase("PROXY TCP6  ::1 56324 443\r\n")]
    [TestCase("PROXY TCP5 192.0.2.1 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY UDP4 192.0.2.1 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY tcp4 192.0.2.1 198.51.100.2 56324 443\r\n")]
    [TestCase("PROXY UNKNOWN2\r\n")]
    [TestCase("PROXY unknown\r\n")]
    [TestCase("PROXY \r\n")]
    [TestCase("PROXY UNKNOWN a\nb\r\n")]
    [TestCase("PROXY UNKNOWN a\rb\r\n")]
    [TestCase("PROXY UNKNOWN\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n")]
    [TestCase("proxy UNKNOWN\r\n")]
    [TestCase("PROXYUNKNOWN\r\n")]
    [TestCase("PROXY\r\n")]
    [TestCase("POST / HTTP/1.1\r\n")]
    [TestCase("GET / HTTP/1.1\r\n")]
    [TestCase(" PROXY UNKNOWN\r\n")]
    public void WhatDoesNotMatchExactly_IsMalformed(string line)
    {
        DecodeResult<ProxyHeader> result = HeaderBytes.Decode(Encoding.Latin1.GetBytes(line));

        Assert.That(result.Status, Is.EqualTo(DecodeStatus.Malformed));
        Assert.That(result.Reason, Does.Contain("PROXY"));
    }

    // As soon as possible: a sender of something else may wait for an answer and send no more.
    [TestCase("G")]
    [TestCase("PX")]
    [TestCase("PROXY_")]
    [TestCase("PROXY UNKNOWN\rx")]
    public void WhatCannotBecomeAHeader_IsMalformedAtOnce(string start) =>
        Assert.That(
            HeaderBytes.Decode(Encoding.Latin1.GetBytes(start)).Status, Is.EqualTo(DecodeStatus.Malformed));

    // Some readers wait for the end of the line for ever, and keep it all.
    [Test]
    public void ALineWithoutAnEnd_IsMalformedAfter107Bytes()
    {
        byte[] line = Encoding.Latin1.GetBytes("PROXY UNKNOWN ".PadRight(107, 'x'));

        Assert.That(HeaderBytes.Decode(line[..106]).Status, Is.EqualTo(DecodeStatus.NeedMore));
        Assert.That(HeaderBytes.Decode(line).Status, Is.EqualTo(DecodeStatus.Malformed));
        Assert.That(HeaderBytes.Decode([.. line, .. "\r\n"u8]).Status, Is.EqualTo(DecodeStatus.Malformed));
        line[106] = (byte)'\r';
        Assert.That(HeaderBytes.Decode(line).Status, Is.EqualTo(DecodeStatus.Malformed));
    }

    [Test]
    public void WhatFollows_IsNotConsumed()
    {
        byte[] bytes = [.. "PROXY UNKNOWN\r\n"u8, .. "\r\nGET / HTTP/1.1\r\n"u8];

        Assert.That(HeaderBytes.Decode(bytes).Consumed, Is.EqualTo(15));
    }

    [Test]
    public void AnEmptyFirstSegment_IsPassedOver()
    {
        ReadOnlySequence<byte> input = Framing.Sequences.Of("PROXY UNKNOWN\r\n"u8.ToArray(), 0, 3);

        Assert.That(
            new ProxyHeaderDecoder(HeaderBytes.MaxBytes).Decode(input, 0).Status, Is.EqualTo(DecodeStatus.Message));
    }

    [TestCase("192.0.2.1:56324", "198.51.100.2:443", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n")]
    [TestCase("[2001:db8::1]:1", "[::1]:2", "PROXY TCP6 2001:db8:0:0:0:0:0:1 0:0:0:0:0:0:0:1 1 2\r\n")]
    [TestCase("[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:2", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")]
    [TestCase("192.0.2.1:1", "[::ffff:192.0.2.2]:2", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")]
    [TestCase("192.0.2.1:1", "[2001:db8::1]:2", "PROXY TCP6 0:0:0:0:0:ffff:c000:201 2001:db8:0:0:0:0:0:1 1 2\r\n")]
    [TestCase("[fe80::1%3]:1", "[::1]:2", "PROXY TCP6 fe80:0:0:0:0:0:0:1 0:0:0:0:0:0:0:1 1 2\r\n")]
    public void Addresses_AreWritten(string source, string destination, string line)
    {
        var header = new ProxyHeader(IPEndPoint.Parse(source), IPEndPoint.Parse(destination))
        {
            Version = ProxyProtocolVersion.Version1,
        };

        Assert.That(Encoding.Latin1.GetString(HeaderBytes.Of(header)), Is.EqualTo(line));
    }

    [Test]
    public void WhatALineCannotTell_IsUnknown()
    {
        var unix = new UnixDomainSocketEndPoint("/run/a");
        ProxyHeader[] headers =
        [
            new(null, HeaderBytes.Destination) { Version = ProxyProtocolVersion.Version1 },
            new(HeaderBytes.Source, null) { Version = ProxyProtocolVersion.Version1 },
            new(unix, unix) { Version = ProxyProtocolVersion.Version1 },
        ];

        Assert.That(
            headers.Select(HeaderBytes.Of), Is.All.EqualTo("PROXY UNKNOWN\r\n"u8.ToArray()));
    }

    [Test]
    public void TheLongestHeader_IsReadAgain()
    {
        byte[] bytes = HeaderBytes.Of(
            new ProxyHeader(LongestIPv6, LongestIPv6) { Version = ProxyProtocolVersion.Version1 });

        Assert.That(bytes, Has.Length.EqualTo(104));
        Assert.That(HeaderBytes.Read(bytes).Source, Is.EqualTo(LongestIPv6));
    }
}
