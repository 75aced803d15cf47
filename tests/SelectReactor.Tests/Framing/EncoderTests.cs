using System.Buffers;
using System.Text;

namespace SelectReactor.Tests.Framing;

public sealed class EncoderTests
{
    [TestCase(LengthField.Byte, 3, "03")]
    [TestCase(LengthField.UInt16BigEndian, 3, "0003")]
    [TestCase(LengthField.UInt16LittleEndian, 3, "0300")]
    [TestCase(LengthField.UInt32BigEndian, 3, "00000003")]
    [TestCase(LengthField.UInt32LittleEndian, 3, "03000000")]
    [TestCase(LengthField.UInt64BigEndian, 3, "0000000000000003")]
    [TestCase(LengthField.UInt64LittleEndian, 3, "0300000000000000")]
    [TestCase(LengthField.Varint, 3, "03")]
    [TestCase(LengthField.Varint, 300, "ac02")]
    [TestCase(LengthField.UInt32BigEndian, 5000, "00001388")]
    public void ALengthPrefix_ComesFirst(LengthField field, int length, string prefix)
    {
        byte[] message = [.. Enumerable.Repeat((byte)'x', length)];
        byte[] expected = [.. Convert.FromHexString(prefix), .. message];

        Assert.That(Written(output => new LengthPrefixEncoder(field).Encode(message, output)), Is.EqualTo(expected));
        Assert.That(
            Written(output => new LengthPrefixEncoder(field).Encode(Sequences.Of(message, 1, 2), output)),
            Is.EqualTo(expected));
    }

    [TestCase(LengthField.Byte, 256, 0)]
    [TestCase(LengthField.UInt16LittleEndian, 65_536, 0)]
    [TestCase(LengthField.Byte, 254, -2)]
    [TestCase(LengthField.UInt32BigEndian, 1, 2)]
    public void ALengthThatDoesNotFit_IsRefused_AndNothingIsWritten(LengthField field, int length, int adjustment)
    {
        var encoder = new LengthPrefixEncoder(field) { Adjustment = adjustment };
        var output = new ArrayBufferWriter<byte>();

        Assert.That(() => encoder.Encode(new byte[length], output), Throws.ArgumentException);
        Assert.That(
            () => encoder.Encode(Sequences.Of(new byte[length], length - 1, 1), output), Throws.ArgumentException);
        Assert.That(output.WrittenCount, Is.Zero);
    }

    [Test]
    public void WrongArguments_AreRefused()
    {
        Assert.That(
            static () => new LengthPrefixEncoder((LengthField)99), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(static () => new LineEncoder().Encode("", null!), Throws.ArgumentNullException);
    }

    [TestCase(";", "a;b")]
    [TestCase("\r\n", "\r\n")]
    [TestCase("\n\n", "a\n")]
    [TestCase("aab", "caab")]
    [TestCase("abab", "xab")]
    public void AMessageWithTheDelimiter_IsRefused(string delimiter, string message)
    {
        var encoder = new DelimiterEncoder(Encoding.ASCII.GetBytes(delimiter));
        byte[] bytes = Encoding.ASCII.GetBytes(message);
        var output = new ArrayBufferWriter<byte>();

        Assert.That(() => encoder.Encode(bytes, output), Throws.ArgumentException);
        Assert.That(() => encoder.Encode(Sequences.Of(bytes, 1), output), Throws.ArgumentException);
        Assert.That(output.WrittenCount, Is.Zero);
    }

    [TestCase("\r\n", "\n\r")]
    [TestCase("abab", "xa")]
    [TestCase("aab", "a")]
    public void AMessageThatOnlyLooksLikeADelimiter_IsWritten(string delimiter, string message)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(delimiter);
        byte[] stream = Written(output =>
            new DelimiterEncoder(bytes).Encode(Encoding.ASCII.GetBytes(message), output));

        Assert.That(DecodeRun.Of(new DelimiterDecoder(bytes, 10), stream).Messages, Is.EqualTo(new[] { message }));
    }

    [TestCase("a\nb")]
    [TestCase("a\r")]
    public void TextWithALineEnd_IsRefused(string text) =>
        Assert.That(() => Written(output => new LineEncoder().Encode(text, output)), Throws.ArgumentException);

    [TestCase(false, "grüße\n")]
    [TestCase(true, "grüße\r\n")]
    public void ALine_IsUtf8AndItsEnd(bool usesCrLf, string expected) =>
        Assert.That(
            Written(output => new LineEncoder { UsesCrLf = usesCrLf }.Encode("grüße", output)),
            Is.EqualTo(Encoding.UTF8.GetBytes(expected)));

    [Test]
    public void FixedLength_RefusesOthers()
    {
        var encoder = new FixedLengthEncoder(2);

        Assert.That(Written(output => encoder.Encode("ab"u8, output)), Is.EqualTo("ab"u8.ToArray()));
        Assert.That(() => Written(output => encoder.Encode("abc"u8, output)), Throws.ArgumentException);
        Assert.That(
            () => Written(output => encoder.Encode(Sequences.Of(new byte[3], 1), output)), Throws.ArgumentException);
    }

    [Test]
    public void WithBody_FramesWhatAFunctionWrites_AlsoInsideAnother()
    {
        MessageEncoder<int> inner = new LengthPrefixEncoder(LengthField.Byte).WithBody<int>(
            static (count, body) => body.Write(new byte[count]));
        MessageEncoder<int> outer = new LengthPrefixEncoder(LengthField.Byte).WithBody<int>((count, body) =>
        {
            inner.Encode(count, body);
            inner.Encode(count, body);
        });

        Assert.That(
            Written(output => outer.Encode(1, output)), Is.EqualTo(new byte[] { 4, 1, 0, 1, 0 }));
        Assert.That(
            Written(output => inner.Encode(0, output)), Is.EqualTo(new byte[] { 0 }), "the buffer is empty again");
    }

    [Test]
    public void WithBody_WritesNothing_WhenItsFunctionThrows()
    {
        var output = new ArrayBufferWriter<byte>();
        MessageEncoder<int> encoder = new LengthPrefixEncoder(LengthField.Byte).WithBody<int>(static (_, body) =>
        {
            body.Write("half"u8);
            throw new TimeoutException();
        });

        Assert.That(() => encoder.Encode(1, output), Throws.InstanceOf<TimeoutException>());
        Assert.That(output.WrittenCount, Is.Zero);
        Assert.That(
            Written(static bytes => new LengthPrefixEncoder(LengthField.Byte)
                .WithBody<int>(static (_, body) => body.Write("x"u8)).Encode(1, bytes)),
            Is.EqualTo("\u0001x"u8.ToArray()));
    }

    private static byte[] Written(Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }
}
