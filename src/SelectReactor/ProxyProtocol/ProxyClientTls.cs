using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using SelectReactor.ProxyProtocol;

namespace SelectReactor;

/// <summary>What a PROXY header tells about the client's TLS connection to the proxy (<c>PP2_TYPE_SSL</c>). The texts
/// come from the client or the proxy and are not checked.</summary>
public sealed class ProxyClientTls
{
    private const byte TlsFlag = 0x01;
    private const byte CertificateOnConnectionFlag = 0x02;
    private const byte CertificateInSessionFlag = 0x04;

    /// <summary>A byte of flags and the result of the verification.</summary>
    private const int FixedBytes = 5;

    private enum Part : byte
    {
        ProtocolVersion = 0x21,
        CommonName = 0x22,
        Cipher = 0x23,
        SignatureAlgorithm = 0x24,
        KeyAlgorithm = 0x25,
        Group = 0x26,
        SignatureScheme = 0x27,
        ClientCertificate = 0x28,
    }

    /// <summary>Whether the client uses TLS at all. Some proxies send these facts for plain connections,
    /// too.</summary>
    public bool IsTls { get; init; }

    /// <summary>Whether the client showed a certificate on this connection.</summary>
    public bool HasCertificateOnConnection { get; init; }

    /// <summary>Whether the client showed a certificate in the TLS session, which may span several
    /// connections.</summary>
    public bool HasCertificateInSession { get; init; }

    /// <summary>What the proxy found when it verified the certificate: 0 for a good one. HAProxy also sends 0 if
    /// there was no certificate, so look at <see cref="IsCertificateVerified"/>.</summary>
    public uint VerifyResult { get; init; }

    /// <summary>Whether the client showed a certificate and the proxy found it good.</summary>
    public bool IsCertificateVerified =>
        IsTls && (HasCertificateOnConnection || HasCertificateInSession) && VerifyResult == 0;

    /// <summary>The version of TLS, such as "TLSv1.3". Null if it is not told.</summary>
    public string? ProtocolVersion { get; init; }

    /// <summary>The common name in the client's certificate. Null if it is not told.</summary>
    public string? CommonName { get; init; }

    /// <summary>The cipher, such as "TLS_AES_256_GCM_SHA384". Null if it is not told.</summary>
    public string? Cipher { get; init; }

    /// <summary>The algorithm that signed the proxy's certificate, such as "RSA-SHA256". Null if it is not
    /// told.</summary>
    public string? SignatureAlgorithm { get; init; }

    /// <summary>The algorithm of the key of the proxy's certificate, such as "RSA2048". Null if it is not
    /// told.</summary>
    public string? KeyAlgorithm { get; init; }

    /// <summary>The group of the key exchange, such as "X25519". Null if it is not told.</summary>
    public string? Group { get; init; }

    /// <summary>The signature scheme of the handshake. Null if it is not told.</summary>
    public string? SignatureScheme { get; init; }

    /// <summary>The client's certificate in DER. Empty if it is not told.</summary>
    public ReadOnlyMemory<byte> ClientCertificate { get; init; }

    /// <summary>The same facts for <see cref="ProxyHeader.Tlvs"/>.</summary>
    /// <exception cref="ArgumentException">They take more than 65,535 bytes.</exception>
    public ProxyTlv ToTlv()
    {
        var output = new ArrayBufferWriter<byte>();
        Span<byte> start = output.GetSpan(FixedBytes);
        start[0] = (byte)((IsTls ? TlsFlag : 0)
            | (HasCertificateOnConnection ? CertificateOnConnectionFlag : 0)
            | (HasCertificateInSession ? CertificateInSessionFlag : 0));
        BinaryPrimitives.WriteUInt32BigEndian(start[1..], VerifyResult);
        output.Advance(FixedBytes);
        Write(Part.ProtocolVersion, ProtocolVersion);
        Write(Part.CommonName, CommonName);
        Write(Part.Cipher, Cipher);
        Write(Part.SignatureAlgorithm, SignatureAlgorithm);
        Write(Part.KeyAlgorithm, KeyAlgorithm);
        Write(Part.Group, Group);
        Write(Part.SignatureScheme, SignatureScheme);
        if (!ClientCertificate.IsEmpty)
        {
            TlvBlock.Write((byte)Part.ClientCertificate, ClientCertificate.Span, output);
        }

        return new ProxyTlv(ProxyTlvType.Tls, output.WrittenMemory);

        void Write(Part part, string? text)
        {
            if (text is not null)
            {
                TlvBlock.Write((byte)part, Encoding.UTF8.GetBytes(text), output);
            }
        }
    }

    /// <summary>Whether the lengths in a value fit together.</summary>
    internal static bool IsValid(ReadOnlySpan<byte> value) =>
        value.Length >= FixedBytes && TlvBlock.IsWhole(value[FixedBytes..]);

    /// <summary>Reads a valid value.</summary>
    internal static ProxyClientTls Read(ReadOnlyMemory<byte> value)
    {
        byte flags = value.Span[0];
        ReadOnlyMemory<byte> parts = value[FixedBytes..];
        return new ProxyClientTls
        {
            IsTls = (flags & TlsFlag) != 0,
            HasCertificateOnConnection = (flags & CertificateOnConnectionFlag) != 0,
            HasCertificateInSession = (flags & CertificateInSessionFlag) != 0,
            VerifyResult = BinaryPrimitives.ReadUInt32BigEndian(value.Span[1..]),
            ProtocolVersion = TextOf(Part.ProtocolVersion),
            CommonName = TextOf(Part.CommonName),
            Cipher = TextOf(Part.Cipher),
            SignatureAlgorithm = TextOf(Part.SignatureAlgorithm),
            KeyAlgorithm = TextOf(Part.KeyAlgorithm),
            Group = TextOf(Part.Group),
            SignatureScheme = TextOf(Part.SignatureScheme),
            ClientCertificate = TlvBlock.Find(parts, (byte)Part.ClientCertificate) ?? default,
        };

        string? TextOf(Part part) =>
            TlvBlock.Find(parts, (byte)part) is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;
    }
}
