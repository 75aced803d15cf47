using System.Diagnostics;
using System.Net.Sockets;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>The wake-up is a connection, and connections can be cut: by an administrator, a firewall or a stray
/// close.</summary>
public sealed class WakeUpCutTests : SelectorFixture
{
    /// <summary>Their descriptors are closed already, and the numbers may belong to others by now.</summary>
    private static readonly List<Socket> _neverClosed = [];

    public enum Cut
    {
        EndByTheWriter,
        EndByTheReader,
        CloseOfTheWriter,
        ResetByTheWriter,
    }

    [Test]
    public void CutWakeUp_IsRenewed_WithoutSpinning([Values] Cut cut)
    {
        LoopbackPair old = Selector.WakeUp;
        Apply(cut, old);
        Select(Bound);

        Assert.That(Selector.WakeUp, Is.Not.SameAs(old));
        Assert.That(old.Reader.SafeHandle.IsClosed);
        AssertWaits();
        AssertWakes();
    }

    [Test]
    public void WakeOnACutConnection_IsNotLost([Values] Cut cut)
    {
        Apply(cut, Selector.WakeUp);
        Selector.Wake();

        Select(Timeout.InfiniteTimeSpan);
        AssertWaits();
        AssertWakes();
    }

    [Test]
    public void CutWakeUp_ThatCanNotBeRenewed_IsTriedAgainAfterAPause()
    {
        int attempts = 0;
        using var selector = new SelectSelector(TimeProvider.System, () => ++attempts is 1 or > 4
            ? new LoopbackPair()
            : throw new SocketException((int)SocketError.TooManyOpenSockets));
        LoopbackPair cut = selector.WakeUp;
        cut.Writer.Shutdown(SocketShutdown.Send);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 3; i++)
        {
            selector.Select(Timeout.InfiniteTimeSpan, []);
            Assert.That(selector.WakeUp, Is.SameAs(cut));
        }

        Assert.That(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Is.GreaterThanOrEqualTo(30), "no spin");
        selector.Select(Timeout.InfiniteTimeSpan, []);
        Assert.That(selector.WakeUp, Is.Not.SameAs(cut));
    }

    [Test]
    public void WakeUpWhoseDescriptorIsClosedUnderneath_IsRenewed()
    {
        LoopbackPair old = Selector.WakeUp;
        _neverClosed.Add(old.Reader);
        new SafeSocketHandle(old.Reader.SafeHandle.DangerousGetHandle(), ownsHandle: true).Dispose();

        // The wait returns with nothing again and again, until the selector looks for the reason. A signal of that
        // time is lost, so the caller has to look for what it was about.
        var waiter = new Thread(() => Select(Timeout.InfiniteTimeSpan)) { IsBackground = true };
        waiter.Start();
        Assert.That(waiter.Join(Bound), "the wait ends when the pair is renewed");

        Assert.That(Selector.WakeUp, Is.Not.SameAs(old));
        AssertWakes();
    }

    [Test]
    public void BrokenWakeUp_ThatCanNotBeRenewed_KeepsTheOthersGoing_AndIsRenewedLater()
    {
        int attempts = 0;
        using var selector = new SelectSelector(TimeProvider.System, () => ++attempts is 1 or > 4
            ? new LoopbackPair()
            : throw new SocketException((int)SocketError.TooManyOpenSockets));
        (SocketHandle handle, Peer peer) = Connected();
        var entry = new SelectorEntry(handle, Interest.Read);
        selector.Add(entry);
        LoopbackPair broken = selector.WakeUp;
        _neverClosed.Add(broken.Reader);
        new SafeSocketHandle(broken.Reader.SafeHandle.DangerousGetHandle(), ownsHandle: true).Dispose();
        var ready = new List<SelectorEntry>();

        // The first wait ends when the selector has looked for the reason, and failed.
        selector.Select(Bound, ready);
        Assert.That((attempts, selector.WakeUp, ready.Count), Is.EqualTo((2, broken, 0)));
        peer.Send([1]);
        for (int i = 0; i < 1_000 && ready.Count == 0; i++)
        {
            selector.Select(Bound, ready);
        }

        Assert.That(ready, Is.EqualTo(new[] { entry }));
        Assert.That(entry.IsEvicted, Is.False);
        handle.Receive(new byte[1], out _);
        for (int i = 0; i < 1_000 && selector.WakeUp == broken; i++)
        {
            selector.Select(Bound, []);
        }

        Assert.That((attempts, selector.WakeUp == broken), Is.EqualTo((5, false)));
        selector.Wake();
        selector.Select(Timeout.InfiniteTimeSpan, []);
    }

    [Test]
    public void PostsReachTheLoop_AfterACut([Values] Cut cut)
    {
        var selector = new SelectSelector();
        using var reactor = new Reactor(new ReactorOptions { SelectorFactory = () => selector });
        int ran = 0;
        for (int i = 1; i <= 20; i++)
        {
            Apply(cut, selector.WakeUp);
            var poster = new Thread(() => reactor.Post(() => ran++));
            poster.Start();
            for (int ticks = 0; ran < i && ticks < 10; ticks++)
            {
                reactor.RunOnce(Bound);
            }

            poster.Join();
            Assert.That(ran, Is.EqualTo(i));
        }
    }

    private static void Apply(Cut cut, LoopbackPair pair)
    {
        switch (cut)
        {
            case Cut.EndByTheWriter:
                pair.Writer.Shutdown(SocketShutdown.Send);
                break;
            case Cut.EndByTheReader:
                pair.Reader.Shutdown(SocketShutdown.Both);
                break;
            case Cut.CloseOfTheWriter:
                pair.Writer.Dispose();
                break;
            default:
                pair.Writer.LingerState = new LingerOption(true, 0);
                pair.Writer.Dispose();
                break;
        }
    }

    private void AssertWaits()
    {
        long start = Stopwatch.GetTimestamp();
        Select(TimeSpan.FromMilliseconds(50));
        Assert.That(Ready, Is.Empty);
        Assert.That(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Is.GreaterThanOrEqualTo(50));
    }

    private void AssertWakes()
    {
        var waker = new Thread(Selector.Wake);
        waker.Start();
        Select(Timeout.InfiniteTimeSpan);
        Assert.That(Ready, Is.Empty);
        waker.Join();
    }
}
