using SelectReactor.Interleavings.Exploration;

namespace SelectReactor.Interleavings;

/// <summary>Posting to a loop that runs. One that waits while a post is there shows as threads that can't go
/// on.</summary>
public sealed class ReactorPostTests
{
    [TestCase(2, 1024, 2)]
    [TestCase(2, 1, 2)]
    [TestCase(1, 1, 2)]
    public void PostsOfTwoThreads_AllRun_InOrder(int each, int perTick, int mostPreemptions)
    {
        Outcome outcome = Explorer.Explore(mostPreemptions, () =>
        {
            var reactor = new Reactor(new ReactorOptions { MaxPostsPerTick = perTick });
            var ran = new List<string>();
            return new Scenario(
                () => WorkItems.RequireInOrder(ran, each, each),
                ("loop", () => reactor.Run()),
                ("a", () => Post("a")),
                ("b", () => Post("b")));

            void Post(string thread)
            {
                for (int i = 1; i <= each; i++)
                {
                    string item = $"{thread}{i}";
                    reactor.Post(() =>
                    {
                        ran.Add(item);
                        if (ran.Count == each * 2)
                        {
                            reactor.Stop();
                        }
                    });
                }
            }
        });

        outcome.AssertSound(atLeast: 1_000);
    }

    [Test]
    public void PostsMadeByPosts_AllRun()
    {
        Outcome outcome = Explorer.Explore(2, static () =>
        {
            var reactor = new Reactor();
            var ran = new List<string>();
            return new Scenario(
                () => WorkItems.RequireInOrder(ran, 2, 1),
                ("loop", () => reactor.Run()),
                ("a", () => reactor.Post(PostAnother)),
                ("b", () => reactor.Post(() => Run("b1"))));

            void PostAnother()
            {
                Run("a1");
                reactor.Post(() => Run("a2"));
            }

            void Run(string item)
            {
                ran.Add(item);
                if (ran.Count == 3)
                {
                    reactor.Stop();
                }
            }
        });

        outcome.AssertSound(atLeast: 1_000);
    }

    // A thread that ran the loop takes itself for the reactor's until another enters, and posts without a wake-up.
    [Test]
    public void APostOfTheThreadThatHadTheLoop_RunsOnTheOneThatHasIt()
    {
        Outcome outcome = Explorer.Explore(3, static () =>
        {
            var reactor = new Reactor();
            bool left = false;
            return new Scenario(static () => { }, ("before", RunOnceAndPost), ("after", RunUntilStopped));

            void RunOnceAndPost()
            {
                reactor.RunOnce(TimeSpan.Zero);
                left = true;
                reactor.Post(reactor.Stop);
            }

            void RunUntilStopped()
            {
                Worker.Pause("waits until the other has left", () => left);
                reactor.Run();
            }
        });

        outcome.AssertSound(atLeast: 1_000);
    }

    [Test]
    public void AWake_EndsTheWaitAfterWhatItTells()
    {
        Outcome outcome = Explorer.Explore(4, static () =>
        {
            var selector = new SelectSelector();
            int told = 0;
            return new Scenario(
                selector.Dispose, ("loop", Wait), ("a", () => Tell(times: 2)), ("b", () => Tell(times: 1)));

            void Wait()
            {
                var ready = new List<SelectorEntry>();
                while (Volatile.Read(ref told) < 3)
                {
                    selector.Select(Timeout.InfiniteTimeSpan, ready);
                }
            }

            void Tell(int times)
            {
                for (; times > 0; times--)
                {
                    told++;
                    selector.Wake();
                }
            }
        });

        outcome.AssertSound(atLeast: 1_000);
    }
}
