using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Tests.Buffers;

/// <summary>What a <see cref="PipeReader"/> promises without waiting: the stock one and ours agree.</summary>
[TestFixtureSource(typeof(ReaderSubject), nameof(ReaderSubject.All))]
public sealed class PipeReaderContractTests(Func<ReaderSubject> create)
{
    private ReaderSubject _subject = null!;

    private PipeReader Reader => _subject.Reader;

    [SetUp]
    public void Create() => _subject = create();

    [Test]
    public void TryRead_WithNothing_IsFalse()
    {
        Assert.That(Reader.TryRead(out ReadResult result), Is.False);
        Assert.That(result, Is.EqualTo(default(ReadResult)));
    }

    [Test]
    public void TryRead_ShowsWhatCame()
    {
        _subject.Produce([1, 2, 3]);

        ReadResult result = Read();

        Assert.That(result.Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That((result.IsCompleted, result.IsCanceled), Is.EqualTo((false, false)));
    }

    [Test]
    public void AfterAllIsExamined_TryReadIsFalseUntilMoreCame()
    {
        _subject.Produce([1, 2, 3]);
        ReadResult result = Read();
        Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.That(Reader.TryRead(out _), Is.False);

        _subject.Produce([4]);

        Assert.That(Read().Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
    }

    [Test]
    public void AfterPartIsExamined_TryReadGoesOn()
    {
        _subject.Produce([1, 2, 3]);
        ReadResult result = Read();
        Reader.AdvanceTo(result.Buffer.GetPosition(1), result.Buffer.GetPosition(2));

        Assert.That(Read().Buffer.ToArray(), Is.EqualTo(new byte[] { 2, 3 }));
    }

    [Test]
    public void AdvanceTo_WithNothingConsumed_ShowsTheSameAgain()
    {
        _subject.Produce([1, 2]);
        Reader.AdvanceTo(Read().Buffer.Start);

        Assert.That(Read().Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public void AdvanceTo_WithTheDefaultPosition_ShowsTheSameAgain()
    {
        _subject.Produce([1, 2]);
        Read();
        Reader.AdvanceTo(default);

        Assert.That(Read().Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public void AdvanceTo_WithoutARead_Throws() =>
        Assert.That(() => Reader.AdvanceTo(default), Throws.InvalidOperationException);

    [Test]
    public void AdvanceTo_Twice_Throws()
    {
        _subject.Produce([1, 2]);
        SequencePosition end = Read().Buffer.End;
        Reader.AdvanceTo(end);

        Assert.That(() => Reader.AdvanceTo(end), Throws.InvalidOperationException);
    }

    [Test]
    public void AdvanceTo_ExaminedBeforeConsumed_Throws()
    {
        _subject.Produce([1, 2]);
        ReadOnlySequence<byte> bytes = Read().Buffer;

        Assert.That(() => Reader.AdvanceTo(bytes.End, bytes.Start), Throws.InvalidOperationException);
    }

    [Test]
    public void AdvanceTo_ExaminedBeforeAnEarlierOne_MakesTheRestUnexaminedAgain()
    {
        _subject.Produce([1, 2, 3]);
        ReadOnlySequence<byte> bytes = Read().Buffer;
        Reader.AdvanceTo(bytes.Start, bytes.End);
        _subject.Produce([4]);
        bytes = Read().Buffer;
        Reader.AdvanceTo(bytes.GetPosition(1));

        Assert.That(Read().Buffer.ToArray(), Is.EqualTo(new byte[] { 2, 3, 4 }));
    }

    [Test]
    public void AfterAFailedAdvance_TheReadCanStillBeAdvanced()
    {
        _subject.Produce([1, 2]);
        ReadOnlySequence<byte> bytes = Read().Buffer;
        Assert.That(() => Reader.AdvanceTo(bytes.End, bytes.Start), Throws.InvalidOperationException);

        Assert.That(() => Reader.AdvanceTo(bytes.End), Throws.Nothing);
    }

    [Test]
    public void TryRead_DuringARead_Throws()
    {
        _subject.Produce([1, 2]);
        Read();

        Assert.That(() => Reader.TryRead(out _), Throws.InvalidOperationException);
    }

    [Test]
    public void BytesThatComeDuringARead_AreUnexamined()
    {
        _subject.Produce([1, 2]);
        ReadOnlySequence<byte> bytes = Read().Buffer;
        _subject.Produce([3]);
        Assert.That(bytes.ToArray(), Is.EqualTo(new byte[] { 1, 2 }));
        Reader.AdvanceTo(bytes.Start, bytes.End);

        Assert.That(Read().Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void ReadingAfterComplete_Throws()
    {
        _subject.Produce([1]);
        Reader.Complete();
        Assert.Multiple(() =>
        {
            Assert.That(() => Reader.TryRead(out _), Throws.InvalidOperationException);
            Assert.That(() => Reader.ReadAsync().AsTask(), Throws.InvalidOperationException);
        });
    }

    [Test]
    public void Complete_DuringARead_AndTwice_IsFine()
    {
        _subject.Produce([1]);
        Read();
        Reader.Complete();

        Assert.That(() => Reader.Complete(), Throws.Nothing);
        Assert.That(() => _subject.Produce([2]), Throws.Nothing);
    }

    [Test]
    public void TheEnd_ShowsWithTheLastBytes_AndAgainAfterThem()
    {
        _subject.Produce([1]);
        _subject.End();
        ReadResult last = Read();
        Assert.That((last.Buffer.Length, last.IsCompleted), Is.EqualTo((1, true)));
        Reader.AdvanceTo(last.Buffer.Start, last.Buffer.End);
        ReadResult again = Read();
        Assert.That((again.Buffer.Length, again.IsCompleted), Is.EqualTo((1, true)));
        Reader.AdvanceTo(again.Buffer.End);

        for (int i = 0; i < 2; i++)
        {
            ReadResult empty = Read();
            Assert.That((empty.Buffer.IsEmpty, empty.IsCompleted), Is.EqualTo((true, true)));
            Reader.AdvanceTo(empty.Buffer.End);
        }
    }

    [Test]
    public void AnEndWithAnError_IsThrownByEveryRead()
    {
        _subject.Produce([1]);
        _subject.End(new IOException("cut"));
        Assert.Multiple(() =>
        {
            Assert.That(() => Reader.TryRead(out _), Throws.InstanceOf<IOException>().With.Message.EqualTo("cut"));
            Assert.That(
                async () => await Reader.ReadAsync(), Throws.InstanceOf<IOException>().With.Message.EqualTo("cut"));
        });
    }

    [Test]
    public void PositionsInLaterSegments_AreConsumedRight([Values(1, 4095, 4096, 4097, 5000, 70_000)] int consumed)
    {
        byte[] all = new byte[100_000];
        new Random(1).NextBytes(all);
        _subject.Produce(all);
        ReadOnlySequence<byte> bytes = Read().Buffer;
        Assert.That(bytes.ToArray(), Is.EqualTo(all));

        Reader.AdvanceTo(bytes.GetPosition(consumed));

        ReadOnlySequence<byte> rest = Read().Buffer;
        Assert.That(rest.ToArray(), Is.EqualTo(all[consumed..]));
        Assert.That(rest.First.IsEmpty, Is.False, "the first segment has bytes");
    }

    private ReadResult Read()
    {
        Assert.That(Reader.TryRead(out ReadResult result), Is.True);
        return result;
    }
}
