using SelectReactor.Selection;
using SelectReactor.Tests.Timing;

namespace SelectReactor.Tests.Selection;

/// <summary>When a scan of all is due, on a clock that only the test moves.</summary>
public sealed class ScanPacerTests
{
    private ManualTime _time = null!;
    private ScanPacer _pacer = null!;

    [SetUp]
    public void Create()
    {
        _time = new ManualTime(TimeSpan.TicksPerSecond) { Timestamp = 1_000_000 };
        _pacer = new ScanPacer(_time);
    }

    [Test]
    public void TheFirstScan_IsDueAtOnce_AndMeasured()
    {
        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.Zero));
        Assert.That(_pacer.IsMeasurementDue);
    }

    [Test]
    public void OneScanInSixteen_IsMeasured()
    {
        var measured = new List<int>();
        for (int i = 0; i < 48; i++)
        {
            if (_pacer.IsMeasurementDue)
            {
                measured.Add(i);
            }

            Scan(cost: 1, measured: false);
        }

        Assert.That(measured, Is.EqualTo(new[] { 0, 16, 32 }));
        Assert.That(_pacer.Scans, Is.EqualTo(48));
    }

    [Test]
    public void AfterAMeasuredScan_TheNextIsDueInTenTimesItsCost()
    {
        Scan(cost: 7, measured: true);
        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.FromTicks(70)));
        _time.Timestamp += 69;
        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.FromTicks(1)));

        _time.Timestamp++;

        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void AScanThatIsOverdue_IsDueNow()
    {
        Scan(cost: 7, measured: true);
        _time.Timestamp += 1_000;

        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void AScanThatWaited_IsNoMeasureOfTheCost()
    {
        Scan(cost: 7, measured: true);
        Scan(cost: 1_000, measured: false);
        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.FromTicks(70)));

        Scan(cost: 3, measured: true);

        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.FromTicks(30)));
    }

    [Test]
    public void TheRest_IsFiftyMillisecondsAtMost()
    {
        Scan(cost: TimeSpan.TicksPerSecond * 4, measured: true);

        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.FromMilliseconds(50)));
    }

    [Test]
    public void AMeasurementDuringAPause_IsNotTakenForTheCost()
    {
        Scan(cost: 7, measured: true);
        for (int i = 0; i < 2; i++)
        {
            Scan(cost: TimeSpan.TicksPerSecond * 4, measured: true);
            Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.FromTicks(70)));
        }
    }

    [Test]
    public void ScansThatHaveBecomeDearer_AreBelievedAfterThreeMeasurements()
    {
        Scan(cost: 7, measured: true);
        for (int i = 0; i < 3; i++)
        {
            Scan(cost: 9, measured: true);
        }

        Assert.That(_pacer.UntilScan(), Is.EqualTo(TimeSpan.FromTicks(90)));
    }

    [Test]
    public void TheLongestWait_IsATenthOfASecond_OrFiftyScans()
    {
        Assert.That(_pacer.MaxWait, Is.EqualTo(TimeSpan.FromMilliseconds(100)));
        Scan(cost: TimeSpan.TicksPerMillisecond, measured: true);
        Assert.That(_pacer.MaxWait, Is.EqualTo(TimeSpan.FromMilliseconds(100)));

        for (int i = 0; i < 3; i++)
        {
            Scan(cost: TimeSpan.TicksPerMillisecond * 4, measured: true);
        }

        Assert.That(_pacer.MaxWait, Is.EqualTo(TimeSpan.FromMilliseconds(200)));
    }

    private void Scan(long cost, bool measured)
    {
        _pacer.BeginScan();
        _time.Timestamp += cost;
        _pacer.EndScan(measured);
    }
}
