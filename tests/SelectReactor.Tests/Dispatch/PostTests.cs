using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

public sealed class PostTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void PostsOfFourThreads_AreInOrderForEach_AndNoneIsLost()
    {
        const int Threads = 4;
        const int PerThread = 25_000;
        int[] next = new int[Threads];
        int wrong = 0;
        int total = 0;
        var loop = Task.Run(() => Reactor.Run());
        Task[] posting = [.. Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < PerThread; i++)
            {
                int number = i;
                Reactor.Post(() =>
                {
                    wrong += next[thread]++ == number ? 0 : 1;
                    if (++total == Threads * PerThread)
                    {
                        Reactor.Stop();
                    }
                });
            }
        }))];

        Assert.That(loop.Wait(Bound), "all were run");
        Assert.That(Task.WaitAll(posting, Bound));
        Assert.That((wrong, total), Is.EqualTo((0, Threads * PerThread)));
    }

    [Test]
    public void Post_IsNeverInline()
    {
        bool? inline = null;
        Reactor.Post(() =>
        {
            bool ran = false;
            Reactor.Post(() => ran = true);
            inline = ran;
        });
        RunUntil(() => inline is not null);

        Assert.That(inline, Is.False);
    }

    [Test]
    public void EndlessPosting_DoesNotKeepSocketsAndTimersFromTheirTurn()
    {
        var handler = new ScriptedHandler { Readable = ScriptedHandler.Echo };
        using Listener listener = Reactor.Listen(AnyPort, handler);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        bool timer = false;
        bool over = false;
        Reactor.Schedule(TimeSpan.FromMilliseconds(1), () => timer = true);
        Reactor.Post(Again);
        Reactor.Post(Again);
        peer.Send("x"u8);
        RunUntil(() => timer && peer.Socket.Available == 1);
        over = true;
        Assert.That(handler.IsConnected);

        void Again()
        {
            if (!over)
            {
                Reactor.Post(Again);
                Reactor.Post(static () => { });
            }
        }
    }

    [Test]
    public void OneTick_RunsNoMoreThanTheLimit()
    {
        using var reactor = new Reactor(new ReactorOptions { MaxPostsPerTick = 10 });
        int ran = 0;
        for (int i = 0; i < 25; i++)
        {
            reactor.Post(() => ran++);
        }

        List<int> counts = [];
        for (int i = 0; i < 3; i++)
        {
            reactor.RunOnce(TimeSpan.Zero);
            counts.Add(ran);
        }

        Assert.That(counts, Is.EqualTo(new[] { 10, 20, 25 }));
    }

    [Test]
    public void AfterABurst_TheMemoryOfThePosts_IsGivenBack_AndTheNextBurstIsServed()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        int ran = 0;
        for (int burst = 1; burst <= 3; burst++)
        {
            for (int i = 0; i < 100_000; i++)
            {
                reactor.Post(() => ran++);
            }

            RunUntil(reactor, () => ran == burst * 100_000);
            Assert.That(reactor.PostCapacity, Is.GreaterThanOrEqualTo(100_000));
            time.Advance(TimeSpan.FromSeconds(30));
            reactor.RunOnce(TimeSpan.Zero);
            Assert.That(reactor.PostCapacity, Is.LessThan(4096));
        }
    }

    [Test]
    public void PostsThatWait_WhileTheMemoryIsTrimmed_AllRunInOrder()
    {
        var time = new FakeTimeProvider();
        ReactorOptions options = Options(time);
        options.MaxPostsPerTick = 10;
        using var reactor = new Reactor(options);
        List<int> ran = [];
        for (int i = 0; i < 5_000; i++)
        {
            int number = i;
            reactor.Post(() => ran.Add(number));
        }

        reactor.RunOnce(TimeSpan.Zero);
        time.Advance(TimeSpan.FromSeconds(30));
        reactor.Post(() => ran.Add(5_000));
        RunUntil(reactor, () => ran.Count > 5_000);

        Assert.That(ran, Is.EqualTo(Enumerable.Range(0, 5_001)));
    }

    [Test]
    public void InvokeAsync_BringsResultAndException()
    {
        Task<int> result = Reactor.InvokeAsync(static () => 42);
        Task<int> failure = Reactor.InvokeAsync<int>(static () => throw new InvalidDataException("x"));
        Task<bool> elsewhere = Task.Run(() => Reactor.InvokeAsync(() => Reactor.IsReactorThread));
        RunUntil(() => elsewhere.IsCompleted);

        Assert.That(result.Result, Is.EqualTo(42));
        Assert.That(() => failure.GetAwaiter().GetResult(), Throws.TypeOf<InvalidDataException>());
        Assert.That(elsewhere.Result);
    }

    [Test]
    public void PostsAgainstStopAndDispose_RunOrAreRejected([Range(1, 20)] int round)
    {
        using var thread = new ReactorThread(Options());
        int accepted = 0;
        int ran = 0;
        Task[] posting = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            try
            {
                while (true)
                {
                    thread.Reactor.Post(() => Interlocked.Increment(ref ran));
                    Interlocked.Increment(ref accepted);
                }
            }
            catch (ObjectDisposedException)
            {
                // Rejected: the end of this thread's part.
            }
        }))];
        Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref ran) > round * 50, Bound));
        thread.Dispose();

        Assert.That(Task.WaitAll(posting, Bound));
        Assert.That(ran, Is.EqualTo(accepted));
    }
}
