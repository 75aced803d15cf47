using System.Buffers;

namespace SelectReactor.Tests.Framing;

public sealed class LengthPrefixDecoderTests
{
    private static readonly byte[] _tail = "..."u8.ToArray();

    [TestCase(LengthField.Byte, "02")]
    [TestCase(LengthField.UInt16BigEndian, "0002")]
    [TestCase(LengthField.UInt16LittleEndian, "0200")]
    [TestCase(LengthField.UInt32BigEndian, "00000002")]
    [TestCase(LengthField.UInt32LittleEndian, "02000000")]
    [TestCase(LengthField.UInt64BigEndian, "0000000000000002")]
    [TestCase(LengthField.UInt64LittleEndian, "0200000000000000")]
    [TestCase(LengthField.Varint, "02")]
    [TestCase(LengthField.Varint, "8200")]
    [TestCase(LengthField.Varint, "82808080808080808000")]
    public void EachKindOfLength_IsRead_InOneSegmentAndInMany(LengthField field, string prefix)
    {
        byte[] stream = [.. Convert.FromHexString(prefix), .. "ab"u8, .. _tail];
        var decoder = new LengthPrefixDecoder(field, 10);

        foreach (int length in new[] { 1, 3, 100 })
        {
            DecodeResult<ReadOnlySequence<byte>> result = decoder.Decode(Sequences.Of(stream, length), examined: 0);
            Assert.That(result.Message.ToArray(), Is.EqualTo("ab"u8.ToArray()));
            Assert.That(result.Consumed, Is.EqualTo(stream.Length - _tail.Length));
        }
    }

    [TestCase(LengthField.Byte, "ff", 255ul)]
    [TestCase(LengthField.UInt16BigEndian, "ffff", 65_535ul)]
    [TestCase(LengthField.UInt32LittleEndian, "ffffffff", 4_294_967_295ul)]
    [TestCase(LengthField.UInt32BigEndian, "80000000", 2_147_483_648ul)]
    [TestCase(LengthField.UInt64BigEndian, "8000000000000000", 9_223_372_036_854_775_808ul)]
    [TestCase(LengthField.UInt64LittleEndian, "ffffffffffffffff", ulong.MaxValue)]
    [TestCase(LengthField.UInt64BigEndian, "7fffffffffffffff", 9_223_372_036_854_775_807ul)]
    [TestCase(LengthField.Varint, "ffffffffffffffffff01", ulong.MaxValue)]
    public void ALengthOverTheLimit_IsRefusedAsSoonAsItIsRead_AndIsNeverNegative(
        LengthField field, string prefix, ulong length)
    {
        var run = DecodeRun.Of(new LengthPrefixDecoder(field, 254), Convert.FromHexString(prefix));

        Assert.That(run.Status, Is.EqualTo(DecodeStatus.TooLong));
        Assert.That(run.Reason, Is.EqualTo($"A message of {length} bytes is longer than the limit of 254."));
    }

    [TestCase("ffffffffffffffffff02")]
    [TestCase("ffffffffffffffffffff")]
    [TestCase("80808080808080808080")]
    public void AVarintOfMoreThan64Bits_IsMalformed(string prefix) =>
        Assert.That(
            DecodeRun.Of(new LengthPrefixDecoder(LengthField.Varint, 10), Convert.FromHexString(prefix)).Reason,
            Is.EqualTo("A length has more than 64 bits."));

    [TestCase(int.MaxValue)]
    [TestCase(int.MinValue)]
    public void AnAdjustment_DoesNotOverflow(int adjustment)
    {
        var decoder = new LengthPrefixDecoder(LengthField.UInt64BigEndian, int.MaxValue) { Adjustment = adjustment };

        foreach (ulong length in new ulong[] { 0, 1, long.MaxValue, 1ul << 63, ulong.MaxValue - 1, ulong.MaxValue })
        {
            byte[] prefix = new byte[8];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(prefix, length);
            DecodeStatus expected = length > 1 ? DecodeStatus.TooLong
                : adjustment < 0 ? DecodeStatus.Malformed
                : length == 0 ? DecodeStatus.NeedMore
                : DecodeStatus.TooLong;
            Assert.That(DecodeRun.Of(decoder, prefix).Status, Is.EqualTo(expected), $"{length}");
        }
    }

    [Test]
    public void TheLimit_IsOfWhatFollowsTheLength()
    {
        var decoder = new LengthPrefixDecoder(LengthField.Byte, 3);

        Assert.That(DecodeRun.Of(decoder, "\u0003abc"u8).Messages, Is.EqualTo(new[] { "abc" }));
        Assert.That(DecodeRun.Of(decoder, "\u0004"u8).Status, Is.EqualTo(DecodeStatus.TooLong));
    }

    [Test]
    public void EmptyBodies_AreMessages() =>
        Assert.That(
            DecodeRun.Of(new LengthPrefixDecoder(LengthField.Byte, 0), new byte[3]).Messages,
            Is.EqualTo(new[] { "", "", "" }));

    [Test]
    public void HowMuchIsNeeded_IsKnown()
    {
        var decoder = new LengthPrefixDecoder(LengthField.UInt16BigEndian, 1000) { Offset = 1 };

        Assert.That(decoder.Decode(Sequences.Of("t"u8.ToArray(), 9), 0).Needed, Is.EqualTo(3));
        Assert.That(decoder.Decode(Sequences.Of(new byte[] { 1, 2, 3, 4 }, 9), 0).Needed, Is.EqualTo(3 + 515));
    }

    // A type, the length of all of it, and a channel.
    [TestCase(null, "Cxab")]
    [TestCase(0, "t\0\u0007Cxab")]
    [TestCase(3, "Cxab")]
    [TestCase(7, "")]
    public void OffsetAdjustmentAndStrip_DescribeAHeader(int? strip, string frame)
    {
        byte[] stream = "t\0\u0007Cxab"u8.ToArray();
        var decoder = new LengthPrefixDecoder(LengthField.UInt16BigEndian, 10)
        {
            Offset = 1,
            Adjustment = -3,
            Strip = strip,
        };

        Assert.That(DecodeRun.Of(decoder, stream).Messages, Is.EqualTo(new[] { frame }));
    }

    [Test]
    public void AFrameShorterThanWhatIsStripped_IsMalformed()
    {
        var decoder = new LengthPrefixDecoder(LengthField.Byte, 10) { Strip = 3 };

        Assert.That(DecodeRun.Of(decoder, "\u0002ab"u8).Messages, Is.EqualTo(new[] { "" }));
        Assert.That(
            DecodeRun.Of(decoder, "\u0001a"u8).Reason,
            Is.EqualTo("A message of 2 bytes is shorter than its header of 3."));
    }

    [Test]
    public void ALengthThatIsLessThanItself_IsMalformed()
    {
        var decoder = new LengthPrefixDecoder(LengthField.Byte, 10) { Adjustment = -1 };

        Assert.That(DecodeRun.Of(decoder, "\u0001"u8).Messages, Is.EqualTo(new[] { "" }));
        Assert.That(
            DecodeRun.Of(decoder, "\0"u8).Reason,
            Is.EqualTo("A length of 0 is less than the 1 bytes that it includes."));
    }

    [Test]
    public void WrongArguments_AreRefused()
    {
        Assert.That(
            static () => new LengthPrefixDecoder((LengthField)99, 1),
            Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            static () => new LengthPrefixDecoder(LengthField.Byte, -1),
            Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            static () => new LengthPrefixDecoder(LengthField.Byte, 1) { Offset = -1 },
            Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            static () => new LengthPrefixDecoder(LengthField.Byte, 1) { Strip = -1 },
            Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}
