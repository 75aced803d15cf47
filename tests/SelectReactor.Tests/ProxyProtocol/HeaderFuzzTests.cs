using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using CsCheck;
using SelectReactor.Tests.Framing;
using SelectReactor.Tests.Fuzzing;

namespace SelectReactor.Tests.ProxyProtocol;

/// <summary>Headers of all kinds, whole, in pieces, changed and cut; and bytes that are no header at all.</summary>
public sealed class HeaderFuzzTests
{
    private static readonly Gen<IPEndPoint> _ip = Gen.Select(
        Gen.OneOf(
            Gen.Byte.Array[4],
            Gen.Byte.Array[16],
            Gen.Byte.Array[4].Select(static bytes => (byte[])[.. new byte[10], 0xff, 0xff, .. bytes]),
            Gen.OneOf((byte)0, (byte)0xff).Array[16]),
        Gen.OneOf(Gen.OneOf(0, 65_535), Gen.Int[0, 65_535]),
        static (address, port) => new IPEndPoint(new IPAddress(address), port));

    private static readonly Gen<UnixDomainSocketEndPoint> _unix = Gen.String[Gen.OneOf('/', 'a', 'b', 'ü'), 1, 50]
        .Select(Gen.Bool, static (path, isAbstract) => new UnixDomainSocketEndPoint(isAbstract ? $"\0{path}" : path));

    private static readonly Gen<ProxyTlv> _tlv = Gen.OneOf(
        Gen.Select(Gen.Byte, Gen.Byte.Array[0, 20]).Where(static pair => !IsSpecial(pair.Item1)).Select(
            static (type, value) => new ProxyTlv((ProxyTlvType)type, value)),
        Gen.Select(Gen.Bool, Gen.Bool, Gen.UInt, Gen.String, static (tls, certificate, result, text) =>
            new ProxyClientTls
            {
                IsTls = tls,
                HasCertificateOnConnection = certificate,
                VerifyResult = result,
                CommonName = text,
            }.ToTlv()));

    private static readonly Gen<ProxyHeader> _header = Gen.Select(
        Gen.Frequency(
            (6, Gen.Select(_ip, _ip, static (source, destination) => new ProxyHeader(source, destination))),
            (2, Gen.Select(_unix, _unix, static (source, destination) => new ProxyHeader(source, destination))),
            (1, Gen.Const(ProxyHeader.Local))),
        Gen.Bool,
        Gen.Bool,
        Gen.Bool,
        _tlv.Array[0, 5],
        static (addresses, isLine, isDatagram, hasChecksum, tlvs) => isLine && addresses.Source is IPEndPoint
            ? new ProxyHeader(addresses.Source, addresses.Destination) { Version = ProxyProtocolVersion.Version1 }
            : new ProxyHeader(addresses.Command, addresses.Source, addresses.Destination)
            {
                IsDatagram = isDatagram && addresses.Source is not null,
                HasChecksum = hasChecksum,
                Tlvs = tlvs,
            });

    private static readonly Gen<int[]> _sizes = Gen.OneOf(
        Gen.Const(new[] { 1 }), Gen.Int[1, 7].Array[1, 4], Gen.Int[1, 300].Array[1, 4]);

    private static readonly byte[][] _starts =
    [
        [],
        HeaderBytes.Signature,
        [.. HeaderBytes.Signature, HeaderBytes.Proxy, HeaderBytes.Tcp4, 0],
        "PROXY "u8.ToArray(),
        "PROXY TCP4 "u8.ToArray(),
        "PROXY TCP6 ::1 "u8.ToArray(),
    ];

    [Test]
    public void AWrittenHeader_IsReadAgain() =>
        Fuzz.Run(_header, 5000, static header =>
        {
            byte[] bytes = HeaderBytes.Of(header);
            ProxyHeader back = HeaderBytes.Read(bytes);
            Fuzz.RequireEqual(Shown(back), Shown(header), "the header");

            if (header.Tlvs.All(static tlv => tlv.Type != ProxyTlvType.Padding))
            {
                Fuzz.RequireSame(HeaderBytes.Of(back), bytes, "written again");
            }
        });

    [Test]
    public void AHeader_IsFoundAtEverySplit_AndWhatFollowsIsLeft() =>
        Fuzz.Run(Gen.Select(_header, Gen.Byte.Array[0, 9]), 200, static sample =>
        {
            byte[] header = HeaderBytes.Of(sample.Item1);
            byte[] stream = [.. header, .. sample.Item2];
            for (int split = 1; split <= header.Length; split++)
            {
                DecodeResult<ProxyHeader> part = HeaderBytes.Decode(stream[..split], int.MaxValue);
                DecodeStatus expected = split < header.Length ? DecodeStatus.NeedMore : DecodeStatus.Message;
                Fuzz.RequireEqual(part.Status, expected, $"with {split} bytes");
                Fuzz.Require(part.Needed <= header.Length, $"it asks for {part.Needed} bytes");
                DecodeResult<ProxyHeader> parts = new ProxyHeaderDecoder(int.MaxValue).Decode(
                    Sequences.Of(stream, split, int.MaxValue), examined: 0);
                Fuzz.RequireEqual(parts.Consumed, header.Length, $"in two segments of {split}");
            }
        });

    /// <summary>A header that was changed is another header, or is refused: it never throws, never asks for more
    /// than its limit, and gives the same however it arrives.</summary>
    [Test]
    public void AChangedHeader_IsReadOrRefused_HoweverItArrives() =>
        Fuzz.Run(
            Gen.Select(_header, Changes, Gen.Int[100, 400], _sizes, _sizes),
            20_000,
            static sample =>
            {
                (ProxyHeader header, Change[] changes, int max, int[] pieces, int[] segments) = sample;
                Check(Changed(HeaderBytes.Of(header), changes), max, pieces, segments);
            },
            static sample => Fuzz.Show(Changed(HeaderBytes.Of(sample.Item1), sample.Item2)));

    [Test]
    public void AnyBytes_AreReadOrRefused_HoweverTheyArrive() =>
        Fuzz.Run(
            Gen.Select(
                Gen.OneOf(_starts),
                Gen.OneOf(Gen.Byte.Array[0, 60], Gen.OneOf(" \r\n.:0129af\0"u8.ToArray()).Array[0, 120]),
                Gen.Int[100, 400],
                _sizes,
                _sizes),
            20_000,
            static sample =>
            {
                (byte[] start, byte[] rest, int max, int[] pieces, int[] segments) = sample;
                Check([.. start, .. rest], max, pieces, segments);
            },
            static sample => Fuzz.Show([.. sample.Item1, .. sample.Item2]));

    private static Gen<Change[]> Changes { get; } = Gen.Select(
        Gen.Enum<ChangeKind>(),
        Gen.Frequency((1, Gen.Int[0, 20]), (1, Gen.Int[0, 300])),
        Gen.OneOf(Gen.Byte, Gen.OneOf("\0\r\n 09\xff\u0020\u0021\u0003"u8.ToArray())),
        static (kind, at, value) => new Change(kind, at, value)).Array[1, 4];

    private static void Check(byte[] bytes, int max, int[] pieces, int[] segments)
    {
        if (bytes.Length == 0)
        {
            return;
        }

        var decoder = new ProxyHeaderDecoder(max);
        DecodeResult<ProxyHeader> whole = decoder.Decode(new ReadOnlySequence<byte>(bytes), examined: 0);
        Fuzz.Require(whole.Needed <= max && whole.Consumed <= Math.Max(max, 107), "more than the limit");
        Fuzz.Require(whole.Status != DecodeStatus.NeedMore || bytes.Length < Math.Max(max, 107), "it waits for ever");
        DecodeRun all = FirstOf(DecodeRun.Of(decoder, bytes));
        Fuzz.RequireEqual(FirstOf(DecodeRun.Of(decoder, bytes, pieces, segments)), all, "in pieces");
        if (whole.Status == DecodeStatus.Message)
        {
            // It can be sent on.
            ProxyHeader back = HeaderBytes.Read(HeaderBytes.Of(whole.Message));
            Fuzz.RequireEqual(Shown(back.Source), Shown(whole.Message.Source), "sent on");
            _ = whole.Message.Tls;
            _ = whole.Message.Authority;
        }
    }

    // Only the first header counts, and after an error in pieces an earlier byte may be to blame.
    private static DecodeRun FirstOf(DecodeRun run) => run.Messages.Count > 0
        ? new DecodeRun([run.Messages[0]], DecodeStatus.Message, "", 0)
        : run with { Reason = "" };

    private static byte[] Changed(byte[] bytes, Change[] changes)
    {
        List<byte> changed = [.. bytes];
        foreach (Change change in changes)
        {
            int at = Math.Min(change.At, changed.Count);
            switch (change.Kind)
            {
                case ChangeKind.Insert:
                    changed.Insert(at, change.Value);
                    break;
                case ChangeKind.Cut:
                    changed.RemoveRange(at, changed.Count - at);
                    break;
                case ChangeKind.Remove when at < changed.Count:
                    changed.RemoveAt(at);
                    break;
                case ChangeKind.Set when at < changed.Count:
                    changed[at] = change.Value;
                    break;
                case ChangeKind.Flip when at < changed.Count:
                    changed[at] ^= (byte)(1 << (change.Value % 8));
                    break;
            }
        }

        return [.. changed];
    }

    private static string Shown(ProxyHeader header)
    {
        IEnumerable<string> tlvs = header.Tlvs.Where(static tlv => tlv.Type != ProxyTlvType.Padding).Select(
            static tlv => $"{tlv}");
        return $"{header.Version} {header.Command} {Shown(header.Source)} {Shown(header.Destination)} "
            + $"{header.IsDatagram} {header.HasChecksum} {string.Join(' ', tlvs)}";
    }

    // An IPv4 address beside an IPv6 one is written as that, and a mapped one beside an IPv4 one as IPv4.
    private static string Shown(EndPoint? endPoint) => endPoint is IPEndPoint ip
        ? $"{ip.Address.MapToIPv6()} {ip.Port}"
        : Convert.ToHexString(Encoding.UTF8.GetBytes(endPoint?.ToString() ?? ""));

    private static bool IsSpecial(byte type) => (ProxyTlvType)type is ProxyTlvType.Checksum or ProxyTlvType.Tls;

    private enum ChangeKind
    {
        Set,
        Flip,
        Insert,
        Remove,
        Cut,
    }

    private sealed record Change(ChangeKind Kind, int At, byte Value);
}
