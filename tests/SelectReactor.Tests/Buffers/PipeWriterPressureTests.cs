using System.IO.Pipelines;

namespace SelectReactor.Tests.Buffers;

/// <summary>How a <see cref="PipeWriter"/> holds its writer back: the stock one and ours agree.</summary>
[TestFixtureSource(typeof(WriterSubject), nameof(WriterSubject.All))]
public sealed class PipeWriterPressureTests(Func<WriterSubject> create)
{
    private WriterSubject _subject = null!;

    private PipeWriter Writer => _subject.Writer;

    [SetUp]
    public void Create() => _subject = create();

    [Test]
    public void FlushAsync_BelowTheHighMark_DoesNotWait() =>
        Assert.That(Write(WriterSubject.High - 1).IsCompletedSuccessfully, Is.True);

    [Test]
    public void FlushAsync_AtTheHighMark_WaitsUntilBelowTheLowOne()
    {
        Task<FlushResult> flush = Write(WriterSubject.High);
        Assert.That(flush.IsCompleted, Is.False);
        _subject.Take(WriterSubject.High - WriterSubject.Low - 1);
        Assert.That(flush.IsCompleted, Is.False);

        _subject.Take(2);

        Assert.That(flush.IsCompletedSuccessfully, Is.True);
        Assert.That((flush.Result.IsCompleted, flush.Result.IsCanceled), Is.EqualTo((false, false)));
    }

    [Test]
    public void FlushAsync_BetweenTheMarks_WaitsOnTheWayDown()
    {
        Assert.That(Waits(Writer.WriteAsync(new byte[WriterSubject.High])), Is.True);
        _subject.Take(100);

        Assert.That(Waits(Writer.FlushAsync()), Is.True);
    }

    [Test]
    public void FlushAsync_WaitsAgainAndAgain([Range(1, 3)] int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            Task<FlushResult> flush = Write(WriterSubject.High);
            Assert.That(flush.IsCompleted, Is.False);
            _subject.Take(int.MaxValue);
            Assert.That(flush.IsCompletedSuccessfully, Is.True);
        }
    }

    [Test]
    public void CancelPendingFlush_DuringAWait_EndsIt()
    {
        Task<FlushResult> flush = Write(WriterSubject.High);
        Writer.CancelPendingFlush();
        _subject.Settle();

        Assert.That((flush.Result.IsCanceled, flush.Result.IsCompleted), Is.EqualTo((true, false)));
        Assert.That(Writer.FlushAsync().AsTask().IsCompleted, Is.False);
    }

    [Test]
    public void CancelPendingFlush_BeforeAFlush_CancelsTheNextOnly()
    {
        Writer.CancelPendingFlush();

        Assert.That(Write(1).Result.IsCanceled, Is.True);
        Assert.That(Write(1).Result.IsCanceled, Is.False);
    }

    [Test]
    public void ATokenThatIsCancelledAlready_CancelsTheFlush() =>
        Assert.That(Writer.FlushAsync(new CancellationToken(canceled: true)).AsTask().IsCanceled, Is.True);

    [Test]
    public void ATokenThatIsCancelledDuringTheWait_CancelsTheFlushOnly()
    {
        using var source = new CancellationTokenSource();
        Task<FlushResult> flush = Writer.WriteAsync(new byte[WriterSubject.High], source.Token).AsTask();
        source.Cancel();
        _subject.Settle();

        Assert.That(async () => await flush, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_subject.Take(int.MaxValue), Has.Length.EqualTo(WriterSubject.High));
        Assert.That(Write(1).IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public void TheEndOfTheReader_EndsTheWait()
    {
        Task<FlushResult> flush = Write(WriterSubject.High);

        _subject.EndReader();

        Assert.That((flush.Result.IsCompleted, flush.Result.IsCanceled), Is.EqualTo((true, false)));
    }

    [Test]
    public void WritesThatNobodyAwaits_AreNoMistake()
    {
        for (int i = 0; i < 10; i++)
        {
            Assert.That(Waits(Writer.WriteAsync(new byte[WriterSubject.High])), Is.True);
        }

        int taken = 0;
        for (int now; (now = _subject.Take(int.MaxValue).Length) > 0;)
        {
            taken += now;
        }

        Assert.That(taken, Is.EqualTo(10 * WriterSubject.High));
        Assert.That(Write(1).IsCompletedSuccessfully, Is.True);
        Assert.That(Write(WriterSubject.High).IsCompleted, Is.False);
    }

    private static bool Waits(ValueTask<FlushResult> flush) => !flush.IsCompleted;

    private Task<FlushResult> Write(int count) => Writer.WriteAsync(new byte[count]).AsTask();
}
