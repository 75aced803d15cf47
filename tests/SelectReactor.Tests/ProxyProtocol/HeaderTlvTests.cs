using System.Buffers;
using System.Text;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>What a header of version 2 tells beside addresses, and its checksum.</summary>
public sealed class HeaderTlvTests
{
    [Test]
    public void Facts_AreRead()
    {
        ProxyHeader header = Read(
            HeaderBytes.Tlv(0x01, "h2"),
            HeaderBytes.Tlv(0x02, "reactor.test"),
            HeaderBytes.Tlv(0x04, new byte[7]),
            HeaderBytes.Tlv(0x05, 1, 2, 3),
            HeaderBytes.Tlv(0x30, "blue"),
            HeaderBytes.Tlv(0xEA, 9),
            HeaderBytes.Tlv(0xEA, 8));

        Assert.That(Encoding.ASCII.GetString(header.Alpn.Span), Is.EqualTo("h2"));
        Assert.That(header.Authority, Is.EqualTo("reactor.test"));
        Assert.That(header.UniqueId.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(header.NetworkNamespace, Is.EqualTo("blue"));
        Assert.That(header.Find((ProxyTlvType)0xEA)?.ToArray(), Is.EqualTo(new byte[] { 9 }), "the first of two");
        Assert.That(
            header.Tlvs.Select(static tlv => (int)tlv.Type), Is.EqualTo(new[] { 1, 2, 5, 0x30, 0xEA, 0xEA }),
            "without padding");
        Assert.That(header.Tls, Is.Null);
    }

    [Test]
    public void WithoutFacts_TheyAreEmpty()
    {
        ProxyHeader header = Read();

        Assert.That(header.Alpn.IsEmpty && header.UniqueId.IsEmpty);
        Assert.That(header.Authority, Is.Null);
        Assert.That(header.NetworkNamespace, Is.Null);
        Assert.That(header.Find(ProxyTlvType.Alpn), Is.Null);
    }

    [Test]
    public void FactsOfALocalHeader_AreRead() =>
        Assert.That(
            HeaderBytes.Read(HeaderBytes.Of(HeaderBytes.Local, 0, HeaderBytes.Tlv(0x05, 7))).UniqueId.ToArray(),
            Is.EqualTo(new byte[] { 7 }));

    [Test]
    public void FactsAboutTls_AreRead()
    {
        byte[] value =
        [
            0x07, 0, 0, 0, 0,
            .. HeaderBytes.Tlv(0x21, "TLSv1.3"),
            .. HeaderBytes.Tlv(0x22, "Jürgen"),
            .. HeaderBytes.Tlv(0x23, "TLS_AES_128_GCM_SHA256"),
            .. HeaderBytes.Tlv(0x24, "RSA-SHA256"),
            .. HeaderBytes.Tlv(0x25, "RSA2048"),
            .. HeaderBytes.Tlv(0x26, "X25519"),
            .. HeaderBytes.Tlv(0x27, "rsa_pss_rsae_sha256"),
            .. HeaderBytes.Tlv(0x28, 0x30, 0x82),
            .. HeaderBytes.Tlv(0x2F, "something new"),
        ];
        ProxyClientTls tls = Read(HeaderBytes.Tlv(0x20, value)).Tls!;

        Assert.That(tls.IsTls && tls.HasCertificateOnConnection && tls.HasCertificateInSession);
        Assert.That(tls.IsCertificateVerified);
        Assert.That(tls.ProtocolVersion, Is.EqualTo("TLSv1.3"));
        Assert.That(tls.CommonName, Is.EqualTo("Jürgen"));
        Assert.That(tls.Cipher, Is.EqualTo("TLS_AES_128_GCM_SHA256"));
        Assert.That(tls.SignatureAlgorithm, Is.EqualTo("RSA-SHA256"));
        Assert.That(tls.KeyAlgorithm, Is.EqualTo("RSA2048"));
        Assert.That(tls.Group, Is.EqualTo("X25519"));
        Assert.That(tls.SignatureScheme, Is.EqualTo("rsa_pss_rsae_sha256"));
        Assert.That(tls.ClientCertificate.ToArray(), Is.EqualTo(new byte[] { 0x30, 0x82 }));
    }

    // HAProxy sends 0 as the result of a verification that never took place.
    [TestCase(0x00, 0u, false)]
    [TestCase(0x01, 0u, false)]
    [TestCase(0x06, 0u, false)]
    [TestCase(0x03, 0u, true)]
    [TestCase(0x05, 0u, true)]
    [TestCase(0x07, 18u, false)]
    public void ACertificate_IsVerified_OnlyIfThereIsOne(byte flags, uint result, bool verified)
    {
        ProxyClientTls tls = Read(HeaderBytes.Tlv(0x20, flags, 0, 0, 0, (byte)result)).Tls!;

        Assert.That(tls.IsCertificateVerified, Is.EqualTo(verified));
        Assert.That(tls.VerifyResult, Is.EqualTo(result));
        Assert.That(tls.IsTls, Is.EqualTo((flags & 1) != 0));
        Assert.That(tls.ProtocolVersion, Is.Null);
    }

    [Test]
    public void ValuesOfAWrongForm_AreMalformed()
    {
        byte[][] blocks =
        [
            [0xE0],
            [0xE0, 0],
            [0xE0, 0, 1],
            [0xE0, 0xFF, 0xFF, 1],
            [.. HeaderBytes.Tlv(0xE0, 1), 0],
            HeaderBytes.Tlv(0x05, new byte[129]),
            HeaderBytes.Tlv(0x03, 1, 2, 3),
            HeaderBytes.Tlv(0x03),
            HeaderBytes.Tlv(0x20, 1, 0, 0, 0),
            HeaderBytes.Tlv(0x20, 1, 0, 0, 0, 0, 0x21, 0, 1),
            HeaderBytes.Tlv(0x20, 1, 0, 0, 0, 0, 0x21, 0),
        ];
        foreach (byte[] block in blocks)
        {
            Assert.That(
                HeaderBytes.Decode(WithFacts(block)).Status,
                Is.EqualTo(DecodeStatus.Malformed),
                Convert.ToHexString(block));
        }
    }

    // The check value of CRC-32C (RFC 3720, appendix B.4, and the catalogues) is that of "123456789".
    [Test]
    public void TheChecksum_IsCrc32c()
    {
        Assert.That(SelectReactor.ProxyProtocol.HeaderChecksum.Of("123456789"u8), Is.EqualTo(0xE3069283));
        Assert.That(SelectReactor.ProxyProtocol.HeaderChecksum.Of(new byte[32]), Is.EqualTo(0x8A9136AA));
    }

    // What HAProxy 2.6.12 has sent.
    [TestCase("0D0A0D0A000D0A515549540A20000007030004A9B87E8F", null)]
    [TestCase(
        "0D0A0D0A000D0A515549540A211100277F0000017F000001C6484809030004B4F664D705001169642D"
            + "2037463030303030313A43363438",
        "id- 7F000001:C648")]
    public void HeadersOfHaproxy_AreRead(string hex, string? uniqueId)
    {
        ProxyHeader header = HeaderBytes.Read(Convert.FromHexString(hex));

        Assert.That(header.HasChecksum);
        Assert.That(Encoding.ASCII.GetString(header.UniqueId.Span), Is.EqualTo(uniqueId ?? ""));
    }

    [Test]
    public void AChecksum_IsVerified_WhereverItStands([Values] bool first, [Values] bool local)
    {
        byte[] checksum = HeaderBytes.Tlv(0x03, 0, 0, 0, 0);
        byte[] other = HeaderBytes.Tlv(0x02, "reactor.test");
        byte[] bytes = local
            ? HeaderBytes.Of(HeaderBytes.Local, 0, first ? [checksum, other] : [other, checksum])
            : WithFacts(first ? [checksum, other] : [other, checksum]);
        int at = bytes.AsSpan().IndexOf(checksum) + 3;
        uint value = SelectReactor.ProxyProtocol.HeaderChecksum.Of(bytes);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), value);

        ProxyHeader header = HeaderBytes.Read(bytes);
        Assert.That(header.HasChecksum);
        Assert.That(header.Tlvs, Has.Count.EqualTo(1), "the checksum is no fact");
        for (int i = 16; i < bytes.Length; i++)
        {
            byte[] wrong = [.. bytes];
            wrong[i] ^= 0x01;
            DecodeResult<ProxyHeader> result = HeaderBytes.Decode(wrong);

            // A flipped length or type of a value may leave no checksum to look at.
            Assert.That(
                result.Status == DecodeStatus.Malformed || !result.Message.HasChecksum, $"byte {i}: {result.Status}");
        }
    }

    [Test]
    public void AChecksumTwice_IsMalformed()
    {
        byte[] bytes = HeaderBytes.Of(
            new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination) { HasChecksum = true });
        byte[] twice = [.. bytes, .. bytes[^7..]];
        twice[15] += 7;

        Assert.That(HeaderBytes.Decode(twice).Status, Is.EqualTo(DecodeStatus.Malformed));
    }

    [Test]
    public void AChecksum_CanBeRequired()
    {
        var decoder = new ProxyHeaderDecoder(HeaderBytes.MaxBytes) { RequiresChecksum = true };
        byte[] with = HeaderBytes.Of(
            new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination) { HasChecksum = true });
        byte[][] without = [WithFacts(), "PROXY UNKNOWN\r\n"u8.ToArray(), HeaderBytes.Of(HeaderBytes.Local, 0)];

        Assert.That(
            decoder.Decode(new ReadOnlySequence<byte>(with), 0).Status, Is.EqualTo(DecodeStatus.Message));
        Assert.That(
            without.Select(bytes => decoder.Decode(new ReadOnlySequence<byte>(bytes), 0).Status),
            Is.All.EqualTo(DecodeStatus.Malformed));
    }

    [Test]
    public void WrittenFacts_AreRead()
    {
        var tls = new ProxyClientTls
        {
            IsTls = true,
            HasCertificateInSession = true,
            VerifyResult = 0x01020304,
            ProtocolVersion = "TLSv1.2",
            CommonName = "ü",
            Cipher = "c",
            SignatureAlgorithm = "s",
            KeyAlgorithm = "k",
            Group = "g",
            SignatureScheme = "h",
            ClientCertificate = new byte[] { 1, 2 },
        };
        var header = new ProxyHeader(HeaderBytes.Source, HeaderBytes.Destination)
        {
            HasChecksum = true,
            Tlvs = [new(ProxyTlvType.Authority, "reactor.test"), tls.ToTlv(), new(ProxyTlvType.Padding, "...")],
        };
        ProxyHeader back = HeaderBytes.Read(HeaderBytes.Of(header));

        Assert.That(back.HasChecksum);
        Assert.That(back.Authority, Is.EqualTo("reactor.test"));
        Assert.That(
            back.Tlvs.Select(static tlv => $"{tlv}"),
            Is.EqualTo(header.Tlvs.Take(2).Select(static tlv => $"{tlv}")));
        foreach (System.Reflection.PropertyInfo property in typeof(ProxyClientTls).GetProperties())
        {
            object? Shown(ProxyClientTls facts) => property.GetValue(facts) is ReadOnlyMemory<byte> bytes
                ? Convert.ToHexString(bytes.Span)
                : property.GetValue(facts);
            Assert.That(Shown(back.Tls!), Is.EqualTo(Shown(tls)), property.Name);
        }
    }

    [Test]
    public void WhatCannotBeWritten_IsRefusedBefore()
    {
        Assert.That(
            static () => new ProxyTlv(ProxyTlvType.UniqueId, new byte[129]),
            Throws.ArgumentException.With.Message.Contains("128"));
        Assert.That(
            static () => new ProxyTlv(ProxyTlvType.Authority, new byte[65_536]),
            Throws.ArgumentException.With.Message.Contains("65535"));
        Assert.That(
            static () => new ProxyHeader(null, null) { Tlvs = [new(ProxyTlvType.Checksum, new byte[4])] },
            Throws.ArgumentException.With.Message.Contains(nameof(ProxyHeader.HasChecksum)));
        Assert.That(static () => new ProxyHeader(null, null) { Tlvs = null! }, Throws.ArgumentNullException);
        Assert.That(
            static () => new ProxyHeader(null, null) { Version = (ProxyProtocolVersion)3 },
            Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            static () => new ProxyHeader(null, null) { Tlvs = [new(ProxyTlvType.Tls, "x")] }.Tls,
            Throws.ArgumentException);
        Assert.That(
            static () => new ProxyClientTls { CommonName = new string('x', 70_000) }.ToTlv(),
            Throws.ArgumentException);
        Assert.That(static () => new ProxyHeaderDecoder(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(static () => new ProxyHeader(null, null).WriteTo(null!), Throws.ArgumentNullException);
    }

    private static byte[] WithFacts(params byte[][] blocks) =>
        HeaderBytes.Of(HeaderBytes.Proxy, HeaderBytes.Tcp4, [HeaderBytes.IPv4Block, .. blocks]);

    private static ProxyHeader Read(params byte[][] blocks) => HeaderBytes.Read(WithFacts(blocks));
}
