using System.Buffers;

namespace SelectReactor.Tests.Framing;

public sealed class DecodeResultTests
{
    [Test]
    public void TheDefault_NeedsMore()
    {
        DecodeResult<string> result = default;

        Assert.That(
            (result.Status, result.Consumed, result.Needed, result.Reason),
            Is.EqualTo((DecodeStatus.NeedMore, 0L, 0L, "")));
        Assert.That(() => result.Message, Throws.InvalidOperationException);
    }

    [Test]
    public void AMessage_HasItsBytes_AndCannotBeDropped()
    {
        var result = DecodeResult.Message("one", 5);

        Assert.That(
            (result.Status, result.Message, result.Consumed, result.Needed),
            Is.EqualTo((DecodeStatus.Message, "one", 5L, 0L)));
        Assert.That(() => result.WithoutMessage(), Throws.InvalidOperationException);
        Assert.That(static () => DecodeResult.Message("one", -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void WithoutMessage_IsTheSame_ForOtherMessages()
    {
        DecodeResult<string> needed = DecodeResult.NeedMore(7);
        DecodeResult<string> malformed = DecodeResult.Malformed("bad");
        DecodeResult<string> tooLong = DecodeResult.TooLong("long");
        DecodeResult<int>[] others = [needed.WithoutMessage(), malformed.WithoutMessage(), tooLong.WithoutMessage()];

        Assert.That(
            others.Select(static other => (other.Status, other.Needed, other.Reason)),
            Is.EqualTo(new[]
            {
                (DecodeStatus.NeedMore, 7L, ""),
                (DecodeStatus.Malformed, 0L, "bad"),
                (DecodeStatus.TooLong, 0L, "long"),
            }));
    }

    [Test]
    public void Select_ParsesMessages_AndInvalidDataIsMalformed()
    {
        MessageDecoder<int> decoder = new LineDecoder(9) { AcceptsUnterminatedEnd = true }.Select(static line =>
            int.TryParse(line.ToArray(), out int number)
                ? number
                : throw new InvalidDataException("It is no number."));

        var run = DecodeRun.Of(decoder, "1\n22\n3"u8);
        Assert.That(run.Messages, Is.EqualTo(new[] { "1", "22", "3" }));
        run = DecodeRun.Of(decoder, "1\nx\n"u8);
        Assert.That((run.Status, run.Reason), Is.EqualTo((DecodeStatus.Malformed, "It is no number.")));
        Assert.That(DecodeRun.Of(decoder, "0123456789ab"u8).Status, Is.EqualTo(DecodeStatus.TooLong));
        Assert.That(
            static () => new LineDecoder(9).Select<int>(static _ => throw new TimeoutException())
                .Decode(new ReadOnlySequence<byte>("\n"u8.ToArray()), 0),
            Throws.InstanceOf<TimeoutException>());
    }
}
