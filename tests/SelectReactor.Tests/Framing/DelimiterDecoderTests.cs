using System.Buffers;
using System.Text;

namespace SelectReactor.Tests.Framing;

public sealed class DelimiterDecoderTests
{
    [TestCase(";", "a;b;;", "a|b|")]
    [TestCase("\r\n", "a\r\nb\nc\rd\r\n", "a|b\nc\rd")]
    [TestCase("aab", "aaaabaab", "aa|")]
    [TestCase("\n\n", "a\n\n\n\nb\n\n", "a||b")]
    public void AFrame_EndsAtTheFirstDelimiter(string delimiter, string stream, string frames)
    {
        var decoder = new DelimiterDecoder(Encoding.ASCII.GetBytes(delimiter), 10);
        byte[] bytes = Encoding.ASCII.GetBytes(stream);

        foreach (int size in new[] { 1, 2, 3, 100 })
        {
            var run = DecodeRun.Of(decoder, bytes, [size], [size]);
            Assert.That(string.Join('|', run.Messages), Is.EqualTo(frames), $"{size}");
        }
    }

    [TestCase("abc\r\n", DecodeStatus.NeedMore)]
    [TestCase("abc\r", DecodeStatus.NeedMore)]
    [TestCase("abcd\r\n", DecodeStatus.TooLong)]
    [TestCase("abcde", DecodeStatus.TooLong)]
    public void TheLimit_IsOfTheFrameWithoutTheDelimiter(string stream, DecodeStatus expected)
    {
        var run = DecodeRun.Of(new DelimiterDecoder("\r\n"u8, 3), Encoding.ASCII.GetBytes(stream));

        Assert.That(run.Status, Is.EqualTo(expected));
        Assert.That(run.Reason, Is.EqualTo(expected == DecodeStatus.TooLong ? "A message may have 3 bytes." : ""));
    }

    [TestCase(true, "a|b\r")]
    [TestCase(false, "a")]
    public void TheEndOfTheStream_MayEndAFrame(bool accepts, string frames)
    {
        var decoder = new DelimiterDecoder("\r\n"u8, 10) { AcceptsUnterminatedEnd = accepts };

        Assert.That(string.Join('|', DecodeRun.Of(decoder, "a\r\nb\r"u8).Messages), Is.EqualTo(frames));
    }

    [Test]
    public void WrongArguments_AreRefused()
    {
        Assert.That(static () => new DelimiterDecoder(""u8, 1), Throws.ArgumentException);
        Assert.That(static () => new DelimiterDecoder(";"u8, -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(static () => new LineDecoder(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(static () => new FixedLengthDecoder(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(static () => new DelimiterEncoder(""u8), Throws.ArgumentException);
        Assert.That(static () => new FixedLengthEncoder(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void FixedLength_CutsEqualParts()
    {
        var run = DecodeRun.Of(new FixedLengthDecoder(3), "abcdefg"u8);

        Assert.That(run.Messages, Is.EqualTo(new[] { "abc", "def" }));
        Assert.That((run.Status, run.Consumed), Is.EqualTo((DecodeStatus.NeedMore, 6)));
        Assert.That(
            new FixedLengthDecoder(3).Decode(new ReadOnlySequence<byte>(new byte[1]), 0).Needed, Is.EqualTo(3));
    }
}
