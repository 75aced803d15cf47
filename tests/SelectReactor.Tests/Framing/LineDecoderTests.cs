using System.Buffers;
using System.Text;

namespace SelectReactor.Tests.Framing;

public sealed class LineDecoderTests
{
    [TestCase("a\nb\r\nc\n", "a|b|c")]
    [TestCase("\n\r\n", "|")]
    [TestCase("a\r\r\n\rb\n", "a\r|\rb")]
    public void ALine_EndsWithLfOrCrLf(string stream, string lines) =>
        Assert.That(
            string.Join('|', DecodeRun.Of(new LineDecoder(10), Encoding.ASCII.GetBytes(stream)).Messages),
            Is.EqualTo(lines));

    [TestCase("abc\n", DecodeStatus.NeedMore)]
    [TestCase("abc\r\n", DecodeStatus.NeedMore)]
    [TestCase("abc\r", DecodeStatus.NeedMore)]
    [TestCase("abcd", DecodeStatus.TooLong)]
    [TestCase("abcd\n", DecodeStatus.TooLong)]
    [TestCase("abcd\r\n", DecodeStatus.TooLong)]
    [TestCase("abc\r\r\n", DecodeStatus.TooLong)]
    [TestCase("abcde", DecodeStatus.TooLong)]
    public void TheLimit_IsOfTheLineWithoutItsEnd(string stream, DecodeStatus expected)
    {
        var run = DecodeRun.Of(new LineDecoder(3), Encoding.ASCII.GetBytes(stream));

        Assert.That(run.Status, Is.EqualTo(expected));
        Assert.That(run.Reason, Is.EqualTo(expected == DecodeStatus.TooLong ? "A line may have 3 bytes." : ""));
    }

    [TestCase("a\nb", "a|b")]
    [TestCase("a\nb\r", "a|b")]
    [TestCase("a\n", "a")]
    public void TheEndOfTheStream_MayEndALine(string stream, string lines)
    {
        var decoder = new LineDecoder(10) { AcceptsUnterminatedEnd = true };

        Assert.That(
            string.Join('|', DecodeRun.Of(decoder, Encoding.ASCII.GetBytes(stream)).Messages), Is.EqualTo(lines));
    }

    [Test]
    public void AnUnterminatedLine_IsNoLine_UnlessItMayBe()
    {
        Assert.That(DecodeRun.Of(new LineDecoder(10), "a\nb"u8).Messages, Is.EqualTo(new[] { "a" }));
        Assert.That(
            DecodeRun.Of(new LineDecoder(1) { AcceptsUnterminatedEnd = true }, "ab"u8).Status,
            Is.EqualTo(DecodeStatus.TooLong));
    }

    [Test]
    public void AsText_DecodesUtf8_AndRefusesWhatIsNot()
    {
        MessageDecoder<string> decoder = new LineDecoder(100).AsText();
        byte[] text = Encoding.UTF8.GetBytes("grüße 👋\n");

        Assert.That(DecodeRun.Of(decoder, text).Messages, Is.EqualTo(new[] { "grüße 👋" }));
        Assert.That(DecodeRun.Of(decoder, text, [1], [1]).Messages, Is.EqualTo(new[] { "grüße 👋" }));
        Assert.That(DecodeRun.Of(decoder, [0xc3, 0x28, 10]).Reason, Is.EqualTo("A line is not valid UTF-8."));
        Assert.That(DecodeRun.Of(decoder, [0xc3, 10], [1], [1]).Status, Is.EqualTo(DecodeStatus.Malformed));
    }

    // Fails if the search begins anew for each byte: that would read half of a terabyte.
    [Test]
    public void AMegabyteThatArrivesByteByByte_IsSearchedOnce([Values] bool isLine)
    {
        const int Length = 1024 * 1024;
        byte[] line = new byte[Length];
        MessageDecoder<ReadOnlySequence<byte>> decoder =
            isLine ? new LineDecoder(Length) : new DelimiterDecoder("\r\n\r\n"u8, Length);
        for (int length = 1; length < Length; length++)
        {
            ReadOnlySequence<byte> input = new(line, 0, length);
            if (decoder.Decode(input, length - 1).Status != DecodeStatus.NeedMore)
            {
                Assert.Fail($"after {length} bytes");
            }
        }
    }

    [Test]
    public void WhatWasExamined_IsNotReadAgain()
    {
        byte[] line = "ab\ncd\n"u8.ToArray();

        foreach (int segment in new[] { 1, 2, 4, 100 })
        {
            Assert.That(
                new LineDecoder(10).Decode(Sequences.Of(line, segment), examined: 3).Message.ToArray(),
                Is.EqualTo("ab\ncd"u8.ToArray()));
        }
    }
}
