using System.Runtime.InteropServices;

namespace SelectReactor.Epoll.Tests;

/// <summary>
/// Waits that signals interrupt. Each signal comes with a pause after it that is longer than a slice of the wait, so
/// that the number of signals, and no clock, shows whether the wait ends.
/// </summary>
[Platform("Linux")]
public sealed partial class SignalTests
{
    private const int SignalContinue = 18;
    private const int MaxSignals = 60;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(150);

    [Test]
    public void WaitOfOneSecond_Ends_WhileSignalsGoOn([Values("select", "epoll")] string kind)
    {
        using ISelector selector = Create(kind);
        AssertEnds(() => selector.Select(TimeSpan.FromSeconds(1), []));
    }

    [Test]
    public void Timer_Fires_WhileSignalsGoOn([Values("select", "epoll")] string kind)
    {
        using var reactor = new Reactor(new ReactorOptions { SelectorFactory = () => Create(kind) });
        reactor.Schedule(TimeSpan.FromSeconds(1), reactor.Stop);
        AssertEnds(() => reactor.Run());
    }

    private static void AssertEnds(Action wait)
    {
        int waiting = 0;
        var thread = new Thread(() =>
        {
            Volatile.Write(ref waiting, CurrentThread());
            wait();
        });
        thread.Start();
        Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref waiting) != 0, TimeSpan.FromSeconds(20)));
        int signals = 0;
        while (!thread.Join(_pause) && signals < MaxSignals)
        {
            _ = SendSignal(Environment.ProcessId, waiting, SignalContinue);
            signals++;
        }

        thread.Join();
        Assert.That(signals, Is.InRange(1, MaxSignals - 1));
    }

    private static ISelector Create(string kind) => kind == "epoll" ? EpollSelector.Create() : new SelectSelector();

    [LibraryImport("libc", EntryPoint = "tgkill")]
    private static partial int SendSignal(int process, int thread, int signal);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int CurrentThread();
}
