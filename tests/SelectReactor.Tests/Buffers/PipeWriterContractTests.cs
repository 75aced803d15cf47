using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Tests.Buffers;

/// <summary>What a <see cref="PipeWriter"/> promises: the stock one and ours agree.</summary>
[TestFixtureSource(typeof(WriterSubject), nameof(WriterSubject.All))]
public sealed class PipeWriterContractTests(Func<WriterSubject> create)
{
    private WriterSubject _subject = null!;

    private PipeWriter Writer => _subject.Writer;

    [SetUp]
    public void Create() => _subject = create();

    [Test]
    public void GetMemory_HasRoomForTheHint([Values(0, 1, 4096, 4097, 65_536, 65_537, 1_000_000)] int hint)
    {
        Assert.Multiple(() =>
        {
            Assert.That(Writer.GetMemory(hint).Length, Is.GreaterThanOrEqualTo(Math.Max(hint, 1)));
            Assert.That(Writer.GetSpan(hint).Length, Is.GreaterThanOrEqualTo(Math.Max(hint, 1)));
        });
    }

    [Test]
    public void ANegativeHint_Throws() =>
        Assert.That(() => Writer.GetMemory(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void WhatIsAdvancedAndFlushed_ComesOut()
    {
        Write(1, 2, 3);
        Write();
        Write(4);

        Flush();

        Assert.That(_subject.Take(10), Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
    }

    [Test]
    public void AGrowingHint_KeepsWhatWasAdvanced([Values(0, 1, 3000)] int before, [Values(5000, 70_000)] int second)
    {
        byte[] first = RandomBytes(before);
        Writer.Write(first);
        Writer.GetMemory(10).Span.Fill(255);
        byte[] rest = RandomBytes(second);
        rest.CopyTo(Writer.GetMemory(second));
        Writer.Advance(second);
        _ = Writer.FlushAsync().AsTask();

        Assert.That(_subject.Take(int.MaxValue), Is.EqualTo(first.Concat(rest)));
    }

    [Test]
    public void AdvanceOfZero_Or_WithoutUse_IsFine()
    {
        Writer.GetMemory(10);
        Writer.Advance(0);
        Write(1);
        Writer.GetMemory(10);

        Flush();

        Assert.That(_subject.Take(10), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public void AdvanceInSteps_OverOneMemory_IsFine()
    {
        Span<byte> span = Writer.GetSpan(2);
        span[0] = 1;
        span[1] = 2;
        Writer.Advance(1);
        Writer.Advance(1);

        Flush();

        Assert.That(_subject.Take(10), Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public void AdvanceBeyondTheMemory_Throws()
    {
        Assert.That(() => Writer.Advance(1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        int length = Writer.GetMemory().Length;
        Assert.Multiple(() =>
        {
            Assert.That(() => Writer.Advance(length + 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => Writer.Advance(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => Writer.Advance(length), Throws.Nothing);
            Assert.That(() => Writer.Advance(1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        });
    }

    [Test]
    public void WritingAfterComplete_Throws()
    {
        Writer.Complete();
        Assert.Multiple(() =>
        {
            Assert.That(() => Writer.GetMemory(), Throws.InvalidOperationException);
            Assert.That(() => Writer.WriteAsync(new byte[1]).AsTask(), Throws.InvalidOperationException);
            Assert.That(() => Writer.Complete(), Throws.Nothing);
        });
    }

    [Test]
    public void WriteAsync_BringsItsBytes_InOrder()
    {
        byte[] all = RandomBytes(WriterSubject.High - 1);
        for (int i = 0; i < all.Length; i += 111)
        {
            Assert.That(Writer.WriteAsync(all.AsMemory(i, 111)).AsTask().IsCompletedSuccessfully, Is.True);
        }

        Assert.That(_subject.Take(int.MaxValue), Is.EqualTo(all));
    }

    [Test]
    public void AsStream_BringsItsBytes()
    {
        byte[] all = RandomBytes(900);
        using Stream stream = Writer.AsStream(leaveOpen: true);
        stream.WriteAsync(all).AsTask().Wait();

        Assert.That(_subject.Take(int.MaxValue), Is.EqualTo(all));
    }

    [Test]
    public void UnflushedBytes_CountWhatWasAdvanced()
    {
        Assert.That(Writer.CanGetUnflushedBytes, Is.True);
        Assert.That(Writer.UnflushedBytes, Is.Zero);
        Write(1, 2, 3);

        Assert.That(Writer.UnflushedBytes, Is.EqualTo(3));
    }

    [Test]
    public void AfterTheReaderEnded_FlushSaysCompleted_AndWritesGoNowhere()
    {
        Write(1);
        _subject.EndReader();

        for (int i = 0; i < 3; i++)
        {
            Task<FlushResult> flush = Writer.WriteAsync(new byte[100_000]).AsTask();
            Assert.That((flush.IsCompletedSuccessfully, flush.Result.IsCompleted), Is.EqualTo((true, true)));
        }
    }

    private void Flush()
    {
        Task<FlushResult> flush = Writer.FlushAsync().AsTask();
        Assert.That(flush.IsCompletedSuccessfully, Is.True);
        Assert.That((flush.Result.IsCompleted, flush.Result.IsCanceled), Is.EqualTo((false, false)));
    }

    private void Write(params byte[] bytes)
    {
        bytes.CopyTo(Writer.GetSpan(bytes.Length));
        Writer.Advance(bytes.Length);
    }

    private static byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }
}
