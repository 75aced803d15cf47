using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Tests.Buffers;

/// <summary>What a <see cref="PipeReader"/> promises about waiting: the stock one and ours agree.</summary>
[TestFixtureSource(typeof(ReaderSubject), nameof(ReaderSubject.All))]
public sealed class PipeReaderWaitTests(Func<ReaderSubject> create)
{
    private ReaderSubject _subject = null!;

    private PipeReader Reader => _subject.Reader;

    [SetUp]
    public void Create() => _subject = create();

    [Test]
    public void ReadAsync_WithBytes_IsCompletedAtOnce()
    {
        _subject.Produce([1]);

        Task<ReadResult> read = Reader.ReadAsync().AsTask();

        Assert.That(read.IsCompletedSuccessfully, Is.True);
        Assert.That(read.Result.Buffer.ToArray(), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public void ReadAsync_WaitsForBytes([Range(1, 3)] int rounds)
    {
        for (byte round = 0; round < rounds; round++)
        {
            Task<ReadResult> read = Reader.ReadAsync().AsTask();
            Assert.That(read.IsCompleted, Is.False);

            _subject.Produce([round]);

            Assert.That(read.IsCompletedSuccessfully, Is.True);
            Assert.That(read.Result.Buffer.ToArray(), Is.EqualTo(new[] { round }));
            Reader.AdvanceTo(read.Result.Buffer.End);
        }
    }

    [Test]
    public void ReadAsync_WaitsUntilSomethingIsUnexamined()
    {
        _subject.Produce([1]);
        Reader.TryRead(out ReadResult first);
        Reader.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        Task<ReadResult> read = Reader.ReadAsync().AsTask();
        Assert.That(read.IsCompleted, Is.False);

        _subject.Produce([2]);

        Assert.That(read.Result.Buffer.ToArray(), Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public void ReadAsync_EndsWithTheStream()
    {
        Task<ReadResult> read = Reader.ReadAsync().AsTask();

        _subject.End();

        Assert.That((read.Result.IsCompleted, read.Result.Buffer.IsEmpty), Is.EqualTo((true, true)));
    }

    [Test]
    public void ReadAsync_ThrowsTheErrorThatEndsTheStream()
    {
        Task<ReadResult> read = Reader.ReadAsync().AsTask();

        _subject.End(new IOException("cut"));

        Assert.That(() => read, Throws.InstanceOf<IOException>().With.Message.EqualTo("cut"));
    }

    [Test]
    public void CancelPendingRead_BeforeARead_CancelsTheNextOnly()
    {
        Reader.CancelPendingRead();

        Assert.That(Reader.TryRead(out ReadResult result), Is.True);

        Assert.That((result.IsCanceled, result.Buffer.IsEmpty), Is.EqualTo((true, true)));
        Reader.AdvanceTo(result.Buffer.End);
        Assert.That(Reader.TryRead(out _), Is.False);
    }

    [Test]
    public void CancelPendingRead_WithBytes_ShowsThem()
    {
        _subject.Produce([1]);
        Reader.CancelPendingRead();

        Reader.TryRead(out ReadResult result);

        Assert.That((result.IsCanceled, result.Buffer.Length), Is.EqualTo((true, 1)));
    }

    [Test]
    public void CancelPendingRead_DuringAWait_EndsIt()
    {
        Task<ReadResult> read = Reader.ReadAsync().AsTask();
        Reader.CancelPendingRead();
        _subject.Settle();

        Assert.That(read.Result.IsCanceled, Is.True);
        Reader.AdvanceTo(read.Result.Buffer.End);
        Task<ReadResult> next = Reader.ReadAsync().AsTask();
        Assert.That(next.IsCompleted, Is.False);
        _subject.Produce([1]);
        Assert.That((next.Result.IsCanceled, next.Result.Buffer.Length), Is.EqualTo((false, 1)));
    }

    [Test]
    public void AfterACancelledResult_ReadingGoesOnWithoutAdvanceTo()
    {
        _subject.Produce([1]);
        Reader.CancelPendingRead();
        Reader.TryRead(out ReadResult cancelled);
        Assert.That(cancelled.IsCanceled, Is.True);

        Assert.That(Reader.TryRead(out ReadResult result), Is.True);

        Assert.That((result.IsCanceled, result.Buffer.Length), Is.EqualTo((false, 1)));
        Reader.AdvanceTo(result.Buffer.End);
        Assert.That(() => Reader.AdvanceTo(result.Buffer.End), Throws.InvalidOperationException);
    }

    [Test]
    public void BytesAfterACancelledEmptyResult_SurviveItsAdvance()
    {
        Reader.CancelPendingRead();
        Reader.TryRead(out ReadResult empty);
        _subject.Produce([1]);
        Reader.AdvanceTo(empty.Buffer.Start, empty.Buffer.End);

        Assert.That(Reader.TryRead(out ReadResult result), Is.True);
        Assert.That(result.Buffer.Length, Is.EqualTo(1));
    }

    [Test]
    public void ATokenThatIsCancelledAlready_CancelsTheRead()
    {
        _subject.Produce([1]);

        ValueTask<ReadResult> read = Reader.ReadAsync(new CancellationToken(canceled: true));

        Assert.That(read.IsCanceled, Is.True);
        Assert.That(Reader.TryRead(out _), Is.True, "nothing was read");
    }

    [Test]
    public void ATokenThatIsCancelledDuringTheWait_CancelsTheReadOnly()
    {
        using var source = new CancellationTokenSource();
        Task<ReadResult> read = Reader.ReadAsync(source.Token).AsTask();
        source.Cancel();
        _subject.Settle();
        Assert.That(
            async () => await read,
            Throws.InstanceOf<OperationCanceledException>().With.Property(nameof(CancellationToken)).EqualTo(
                source.Token));

        Task<ReadResult> next = Reader.ReadAsync().AsTask();
        Assert.That(next.IsCompleted, Is.False);
        _subject.Produce([1]);
        Assert.That(next.Result.Buffer.Length, Is.EqualTo(1));
    }

    [Test]
    public void ATokenOfAnEarlierRead_HasNoEffect()
    {
        using var source = new CancellationTokenSource();
        Task<ReadResult> first = Reader.ReadAsync(source.Token).AsTask();
        _subject.Produce([1]);
        Reader.AdvanceTo(first.Result.Buffer.End);
        Task<ReadResult> second = Reader.ReadAsync().AsTask();

        source.Cancel();
        _subject.Settle();

        Assert.That(second.IsCompleted, Is.False);
        _subject.Produce([2]);
        Assert.That(second.Result.Buffer.Length, Is.EqualTo(1));
    }

    [Test]
    public void ATokenAndBytesAtOnce_EndTheWaitOnce()
    {
        using var source = new CancellationTokenSource();
        Task<ReadResult> read = Reader.ReadAsync(source.Token).AsTask();
        _subject.Produce([1]);
        source.Cancel();
        _subject.Settle();

        Assert.That(read.Result.Buffer.Length, Is.EqualTo(1));
    }

    [Test]
    public void ReadAtLeastAsync_CollectsEnough()
    {
        Task<ReadResult> read = Reader.ReadAtLeastAsync(10_000).AsTask();
        for (int i = 0; i < 10; i++)
        {
            Assert.That(read.IsCompleted, Is.False);
            _subject.Produce(new byte[1000]);
        }

        Assert.That(read.Result.Buffer.Length, Is.EqualTo(10_000));
    }

    [Test]
    public void AsStream_CopiesAll()
    {
        byte[] all = new byte[300_000];
        new Random(2).NextBytes(all);
        using var copy = new MemoryStream();
        using Stream stream = Reader.AsStream();
        Task copying = stream.CopyToAsync(copy);
        for (int i = 0; i < all.Length; i += 30_000)
        {
            _subject.Produce(all.AsSpan(i, 30_000));
        }

        _subject.End();

        Assert.That(copying.IsCompletedSuccessfully, Is.True);
        Assert.That(copy.ToArray(), Is.EqualTo(all));
    }
}
