using System.Buffers;
using System.Text;
using CsCheck;
using SelectReactor.Tests.Fuzzing;

namespace SelectReactor.Tests.Framing;

/// <summary>However a stream arrives, a decoder finds the same messages: those that were encoded, or in any bytes
/// those that a simple reading of the whole finds.</summary>
public sealed class FramingFuzzTests
{
    private const int MaxBytes = 300;

    private static readonly Gen<int[]> _sizes = Gen.Frequency(
        (1, Gen.Const(new[] { 1 })),
        (3, Gen.Int[1, 12].Array[1, 6]),
        (2, Gen.Int[1, 300].Array[1, 4]));

    private static readonly Gen<byte[]> _delimiter = Gen.OneOf(
        Gen.OneOf("\n", "\r\n", "\r\n\r\n", "\0", "aab").Select(Encoding.ASCII.GetBytes),
        Gen.OneOf((byte)'a', (byte)'b').Array[1, 4]);

    private static readonly Gen<LengthField> _field = Gen.OneOf(Enum.GetValues<LengthField>());

    // Few different bytes, so that delimiters and small lengths come often.
    private static readonly Gen<byte[]> _bytes = Gen.Frequency(
        (4, Gen.OneOf("ab\r\n\0\u0001\u0002\u0003"u8.ToArray()).Array[0, 40]),
        (1, Gen.Byte.Array[0, 40]),
        (1, Gen.OneOf(0x80, 0xff, 0x7f, 1, 0).Select(static value => (byte)value).Array[0, 14]));

    private static readonly Gen<byte[]> _body = Gen.Frequency(
        (4, _bytes), (1, Gen.Int[100, MaxBytes].Select(static length => new byte[length])));

    [Test]
    public void EncodedMessages_AreFound_AtEverySplit_LengthPrefix() =>
        Fuzz.Run(
            Gen.Select(_field, Gen.Int[-9, 9], _body.Array[0, 4]),
            300,
            static sample =>
            {
                (LengthField field, int adjustment, byte[][] bodies) = sample;
                var encoder = new LengthPrefixEncoder(field) { Adjustment = adjustment };
                byte[][] sent = [.. bodies.Where(body => Fits(field, body.Length - adjustment))];
                CheckEverySplit(
                    new LengthPrefixDecoder(field, MaxBytes) { Adjustment = adjustment }, encoder, sent);
            });

    [Test]
    public void EncodedMessages_AreFound_AtEverySplit_Delimiter() =>
        Fuzz.Run(
            Gen.Select(_delimiter, _body.Array[0, 4]),
            300,
            static sample =>
            {
                var encoder = new DelimiterEncoder(sample.Item1);
                byte[][] sent = [.. sample.Item2.Where(body => CanBeWritten(encoder, body))];
                CheckEverySplit(new DelimiterDecoder(sample.Item1, MaxBytes), encoder, sent);
            });

    [Test]
    public void EncodedMessages_AreFound_AtEverySplit_FixedLength() =>
        Fuzz.Run(
            Gen.Int[1, 20].SelectMany(static length => Gen.Byte.Array[length].Array[1, 5]),
            100,
            static sent => CheckEverySplit(
                new FixedLengthDecoder(sent[0].Length), new FixedLengthEncoder(sent[0].Length), sent));

    [Test]
    public void EncodedLines_AreFound_AtEverySplit() =>
        Fuzz.Run(
            Gen.Select(Gen.Bool, Gen.String[Gen.OneOf('a', 'ü', '\0', '\u2028', ' '), 0, 30].Array[0, 5]),
            200,
            static sample =>
            {
                (bool usesCrLf, string[] lines) = sample;
                var output = new ArrayBufferWriter<byte>();
                foreach (string line in lines)
                {
                    new LineEncoder { UsesCrLf = usesCrLf }.Encode(line, output);
                }

                CheckEverySplit(new LineDecoder(MaxBytes).AsText(), output.WrittenSpan.ToArray(), lines);
            });

    [Test]
    public void AnyBytes_GiveTheSame_HoweverTheyArrive_LengthPrefix() =>
        Fuzz.Run(
            Gen.Select(_field, Gen.Int[0, 3], Gen.Int[-3, 3], Gen.Int[-1, 6], Gen.Int[0, 5], Arrivals),
            5000,
            static sample =>
            {
                (LengthField field, int offset, int adjustment, int strip, int max, Arrival arrival) = sample;
                CheckArrivals(
                    new LengthPrefixDecoder(field, max)
                    {
                        Offset = offset,
                        Adjustment = adjustment,
                        Strip = strip < 0 ? null : strip,
                    },
                    arrival);
            });

    [Test]
    public void AnyBytes_GiveTheSame_HoweverTheyArrive_Delimiter() =>
        Fuzz.Run(
            Gen.Select(_delimiter, Gen.Int[0, 12], Gen.Bool, Arrivals),
            5000,
            static sample =>
            {
                (byte[] delimiter, int max, bool accepts, Arrival arrival) = sample;
                DecodeRun run = CheckArrivals(
                    new DelimiterDecoder(delimiter, max) { AcceptsUnterminatedEnd = accepts }, arrival);
                string text = Encoding.Latin1.GetString(arrival.Stream);
                string[] frames = text.Split(Encoding.Latin1.GetString(delimiter));
                RequireFirstOf(run, frames, max, accepts);
            });

    [Test]
    public void AnyBytes_GiveTheSame_HoweverTheyArrive_Lines() =>
        Fuzz.Run(
            Gen.Select(Gen.Int[0, 12], Gen.Bool, Arrivals),
            5000,
            static sample =>
            {
                (int max, bool accepts, Arrival arrival) = sample;
                DecodeRun run = CheckArrivals(
                    new LineDecoder(max) { AcceptsUnterminatedEnd = accepts }, arrival);
                string[] lines = [.. Encoding.Latin1.GetString(arrival.Stream).Split('\n').Select(
                    static line => line.EndsWith('\r') ? line[..^1] : line)];
                RequireFirstOf(run, lines, max, accepts, arrival.Stream is [.., (byte)'\r']);
            });

    private static Gen<Arrival> Arrivals { get; } =
        Gen.Select(_bytes, _sizes, _sizes, static (stream, pieces, segments) =>
            new Arrival(stream, pieces, segments));

    private static void CheckEverySplit(
        MessageDecoder<ReadOnlySequence<byte>> decoder, FrameEncoder encoder, byte[][] sent)
    {
        var output = new ArrayBufferWriter<byte>();
        foreach (byte[] message in sent)
        {
            encoder.Encode(message, output);
        }

        CheckEverySplit(decoder, output.WrittenSpan.ToArray(), [.. sent.Select(Encoding.Latin1.GetString)]);
    }

    private static void CheckEverySplit<T>(MessageDecoder<T> decoder, byte[] stream, string[] sent)
    {
        var expected = new DecodeRun(sent, DecodeStatus.NeedMore, "", stream.Length);
        for (int split = 1; split <= stream.Length; split++)
        {
            int[] sizes = [split, int.MaxValue];
            Fuzz.RequireEqual(DecodeRun.Of(decoder, stream, sizes, [int.MaxValue]), expected, $"arrives at {split}");
            Fuzz.RequireEqual(DecodeRun.Of(decoder, stream, [int.MaxValue], sizes), expected, $"segment at {split}");
        }

        Fuzz.RequireEqual(DecodeRun.Of(decoder, stream, [1], [1]), expected, "byte by byte");
    }

    private static DecodeRun CheckArrivals<T>(MessageDecoder<T> decoder, Arrival arrival)
    {
        var whole = DecodeRun.Of(decoder, arrival.Stream);
        var pieces = DecodeRun.Of(decoder, arrival.Stream, arrival.Pieces, arrival.Segments);
        Fuzz.RequireEqual(pieces, whole, "in pieces");
        return whole;
    }

    // All frames of a text that was split, up to the first that is too long.
    private static void RequireFirstOf(
        DecodeRun run, string[] frames, int max, bool accepts, bool mayEndInCr = false)
    {
        string[] good = [.. frames[..^1].TakeWhile(frame => frame.Length <= max)];
        bool isWhole = good.Length == frames.Length - 1;
        if (isWhole && accepts && frames[^1].Length <= max && (frames[^1].Length > 0 || mayEndInCr))
        {
            good = [.. good, frames[^1]];
        }

        Fuzz.RequireEqual(string.Join('|', run.Messages), string.Join('|', good), "the messages");
        if (!isWhole)
        {
            Fuzz.RequireEqual(run.Status, DecodeStatus.TooLong, "the end");
        }
    }

    private static bool Fits(LengthField field, long length) =>
        length >= 0 && (ulong)length <= SelectReactor.Framing.LengthCode.MaxOf(field);

    private static bool CanBeWritten(DelimiterEncoder encoder, byte[] body)
    {
        try
        {
            encoder.Encode(body, new ArrayBufferWriter<byte>());
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private sealed record Arrival(byte[] Stream, int[] Pieces, int[] Segments)
    {
        public override string ToString() =>
            $"{Fuzz.Show(Stream)} in [{string.Join(' ', Pieces)}], segments [{string.Join(' ', Segments)}]";
    }
}
