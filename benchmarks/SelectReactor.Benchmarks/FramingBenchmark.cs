using System.Buffers;
using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;

namespace SelectReactor.Benchmarks;

/// <summary>
/// Each decoder against the loop over a span that one would write by hand for it, which knows that all lies in one
/// segment: a buffer of 64 KiB that is full of messages.
/// </summary>
[MemoryDiagnoser]
[ThroughputColumns(BufferBytes)]
public class FramingBenchmark
{
    private const int BufferBytes = 64 * 1024;
    private const int MaxBytes = 64 * 1024;

    private static readonly byte[] _blankLine = "\r\n\r\n"u8.ToArray();

    private readonly LengthPrefixDecoder _prefixDecoder = new(LengthField.UInt32BigEndian, MaxBytes);
    private readonly LengthPrefixDecoder _varintDecoder = new(LengthField.Varint, MaxBytes);
    private readonly LineDecoder _lineDecoder = new(MaxBytes);
    private readonly DelimiterDecoder _delimiterDecoder = new(_blankLine, MaxBytes);
    private readonly ArrayBufferWriter<byte> _output = new(2 * BufferBytes);
    private readonly LengthPrefixEncoder _encoder = new(LengthField.UInt32BigEndian);
    private FixedLengthDecoder _fixedDecoder = null!;
    private byte[] _body = [];
    private ReadOnlySequence<byte> _prefixed;
    private ReadOnlySequence<byte> _varints;
    private ReadOnlySequence<byte> _lines;
    private ReadOnlySequence<byte> _delimited;

    /// <summary>Of each message, with its prefix or delimiter.</summary>
    [Params(16, 256)]
    public int MessageBytes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _fixedDecoder = new FixedLengthDecoder(MessageBytes);
        _body = Body(sizeof(uint));
        _prefixed = Fill(new LengthPrefixEncoder(LengthField.UInt32BigEndian), _body);
        _varints = Fill(new LengthPrefixEncoder(LengthField.Varint), Body(MessageBytes > 128 ? 2 : 1));
        _lines = Fill(new DelimiterEncoder("\n"u8), Body(1));
        _delimited = Fill(new DelimiterEncoder(_blankLine), Body(_blankLine.Length));
    }

    [Benchmark]
    public long LengthPrefix() => Decode(_prefixDecoder, _prefixed);

    [Benchmark]
    public long LengthPrefixByHand()
    {
        long total = 0;
        ReadOnlySpan<byte> rest = _prefixed.FirstSpan;
        while (BinaryPrimitives.TryReadUInt32BigEndian(rest, out uint length) && length <= rest.Length - sizeof(uint))
        {
            total += length;
            rest = rest[(sizeof(uint) + (int)length)..];
        }

        return total;
    }

    [Benchmark]
    public long Varint() => Decode(_varintDecoder, _varints);

    [Benchmark]
    public long VarintByHand()
    {
        long total = 0;
        ReadOnlySpan<byte> rest = _varints.FirstSpan;
        while (!rest.IsEmpty)
        {
            int size = 0;
            int length = 0;
            while (size < rest.Length && rest[size] >= 0x80)
            {
                length |= (rest[size] & 0x7f) << (7 * size++);
            }

            length |= rest[size] << (7 * size++);
            if (length > rest.Length - size)
            {
                break;
            }

            total += length;
            rest = rest[(size + length)..];
        }

        return total;
    }

    [Benchmark]
    public long Line() => Decode(_lineDecoder, _lines);

    [Benchmark]
    public long LineByHand()
    {
        long total = 0;
        ReadOnlySpan<byte> rest = _lines.FirstSpan;
        for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
        {
            total += end > 0 && rest[end - 1] == '\r' ? end - 1 : end;
        }

        return total;
    }

    [Benchmark]
    public long Delimiter() => Decode(_delimiterDecoder, _delimited);

    [Benchmark]
    public long DelimiterByHand()
    {
        long total = 0;
        ReadOnlySpan<byte> rest = _delimited.FirstSpan;
        for (int end; (end = rest.IndexOf("\r\n\r\n"u8)) >= 0; rest = rest[(end + 4)..])
        {
            total += end;
        }

        return total;
    }

    [Benchmark]
    public long FixedLength() => Decode(_fixedDecoder, _lines);

    [Benchmark]
    public long FixedLengthByHand()
    {
        long total = 0;
        for (ReadOnlySpan<byte> rest = _lines.FirstSpan; rest.Length >= MessageBytes; rest = rest[MessageBytes..])
        {
            total += rest[..MessageBytes].Length;
        }

        return total;
    }

    [Benchmark]
    public int EncodeLengthPrefix()
    {
        _output.ResetWrittenCount();
        for (int i = 0; i < BufferBytes / MessageBytes; i++)
        {
            _encoder.Encode(_body, _output);
        }

        return _output.WrittenCount;
    }

    [Benchmark]
    public int EncodeLengthPrefixByHand()
    {
        _output.ResetWrittenCount();
        for (int i = 0; i < BufferBytes / MessageBytes; i++)
        {
            Span<byte> room = _output.GetSpan(sizeof(uint) + _body.Length);
            BinaryPrimitives.WriteUInt32BigEndian(room, (uint)_body.Length);
            _body.CopyTo(room[sizeof(uint)..]);
            _output.Advance(sizeof(uint) + _body.Length);
        }

        return _output.WrittenCount;
    }

    private static long Decode(MessageDecoder<ReadOnlySequence<byte>> decoder, ReadOnlySequence<byte> rest)
    {
        long total = 0;
        while (!rest.IsEmpty)
        {
            DecodeResult<ReadOnlySequence<byte>> result = decoder.Decode(rest, examined: 0);
            if (result.Status != DecodeStatus.Message)
            {
                break;
            }

            total += result.Message.Length;
            rest = rest.Slice(result.Consumed);
        }

        return total;
    }

    private static ReadOnlySequence<byte> Fill(FrameEncoder encoder, byte[] body)
    {
        var output = new ArrayBufferWriter<byte>(2 * BufferBytes);
        while (output.WrittenCount < BufferBytes)
        {
            encoder.Encode(body, output);
        }

        return new ReadOnlySequence<byte>(output.WrittenSpan.ToArray());
    }

    private byte[] Body(int overhead) => [.. Enumerable.Repeat((byte)'x', MessageBytes - overhead)];
}
