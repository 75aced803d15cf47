using SelectReactor.Interleavings.Exploration;

namespace SelectReactor.Interleavings;

/// <summary>How a loop ends while others post to it.</summary>
public sealed class ReactorEndTests
{
    /// <summary>What goes on while the reactor is disposed.</summary>
    public enum Loop
    {
        None,
        Run,
        RunOnce,
    }

    [Test]
    public void Stop_EndsTheLoop_AndWhatWasPostedRunsInTheNext()
    {
        Outcome outcome = Explorer.Explore(2, static () =>
        {
            var reactor = new Reactor();
            var ran = new List<string>();
            return new Scenario(Check, ("loop", () => reactor.Run()), ("a", Post), ("stop", reactor.Stop));

            void Post() => reactor.Post(() => ran.Add("a1"));

            void Check()
            {
                reactor.RunOnce(TimeSpan.Zero);
                WorkItems.RequireInOrder(ran, 1, 0);
            }
        });

        outcome.AssertSound(atLeast: 300);
    }

    [TestCase(1, Loop.None, 3)]
    [TestCase(1, Loop.Run, 2)]
    [TestCase(1, Loop.RunOnce, 2)]
    [TestCase(2, Loop.None, 2)]
    [TestCase(2, Loop.Run, 1)]
    public void Dispose_RunsWhatWasAccepted_AndRefusesTheRest(int disposers, Loop loop, int mostPreemptions)
    {
        Outcome outcome = Explorer.Explore(mostPreemptions, () =>
        {
            var end = new End();
            List<(string, Action)> threads = [("a", () => end.Post(1))];
            if (loop != Loop.None)
            {
                threads.Add(("loop", () => end.Run(loop)));
            }

            for (int i = 0; i < disposers; i++)
            {
                threads.Add(($"dispose {i}", end.Reactor.Dispose));
            }

            return new Scenario(end.Check, [.. threads]);
        });

        outcome.AssertSound(atLeast: 300);
    }

    [Test]
    public void DisposeInAPost_RunsWhatWasAccepted_AndRefusesTheRest()
    {
        Outcome outcome = Explorer.Explore(1, static () =>
        {
            var end = new End();
            return new Scenario(
                end.Check,
                ("loop", () => end.Run(Loop.Run)),
                ("a", () => end.Post(1)),
                ("disposer", () => end.Reactor.TryPost(_ => end.Reactor.Dispose(), null)));
        });

        outcome.AssertSound(atLeast: 250);
    }

    // Members for any thread that act at once on the thread that ran the loop last while nobody runs it: never beside
    // a loop that begins meanwhile.
    [TestCase(Loop.Run, false)]
    [TestCase(Loop.RunOnce, false)]
    [TestCase(Loop.None, false)]
    [TestCase(Loop.RunOnce, true)]
    [TestCase(Loop.None, true)]
    public void AnActionOfAnyThread_RunsOnce_AndNeverBesideTheLoop(Loop loop, bool hasRunTheLoop)
    {
        Outcome outcome = Explorer.Explore(3, () =>
        {
            var end = new End { MayMeetAnotherLoop = hasRunTheLoop };
            return new Scenario(
                () => end.CheckExecuted(loop),
                ("loop", loop == Loop.None ? end.Reactor.Dispose : () => end.Run(loop)),
                ("a", () => end.Execute(loop, hasRunTheLoop)));
        });

        outcome.AssertSound(atLeast: 300);
    }

    [Test]
    public void Shutdown_EndsTheLoop_AndItsTask()
    {
        Outcome outcome = Explorer.Explore(2, static () =>
        {
            // A clock that stands still, since a schedule is to repeat itself.
            var reactor = new Reactor(new ReactorOptions
            {
                TimeProvider = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(),
            });
            var shutdowns = new List<Task>();
            return new Scenario(
                () => Scenario.Require(shutdowns.TrueForAll(static task => task.IsCompleted), "A task is left."),
                ("loop", () => reactor.Run()),
                ("a", () => shutdowns.Add(reactor.ShutdownAsync(TimeSpan.FromSeconds(1)))),
                ("b", () => shutdowns.Add(reactor.ShutdownAsync(TimeSpan.Zero))));
        });

        outcome.AssertSound(atLeast: 300);
    }

    /// <summary>A reactor that is about to be disposed, and what becomes of the posts.</summary>
    private sealed class End
    {
        private readonly List<string> _ran = [];
        private int _accepted;
        private bool _isRunning;

        public Reactor Reactor { get; } = new();

        public bool MayMeetAnotherLoop { get; init; }

        public void Run(Loop loop)
        {
            try
            {
                if (loop == Loop.Run)
                {
                    Reactor.Run();
                }
                else
                {
                    // Leaves by itself, so that its leaving meets the disposal.
                    Reactor.RunOnce(TimeSpan.Zero);
                }
            }
            catch (ObjectDisposedException)
            {
                // The loop came too late.
            }
            catch (InvalidOperationException) when (MayMeetAnotherLoop)
            {
                // The other loop was first.
            }
        }

        public void Post(int items)
        {
            for (int i = 1; i <= items && Reactor.TryPost(RunItem, $"a{i}"); i++)
            {
                _accepted++;
            }
        }

        public void Execute(Loop loop, bool hasRunTheLoop)
        {
            if (hasRunTheLoop)
            {
                TryRunToTheStop();
            }

            Reactor.Execute(RunItem, "b1");
            if (loop == Loop.Run)
            {
                Reactor.Stop();
            }
        }

        private void TryRunToTheStop()
        {
            try
            {
                Reactor.Stop();
                Reactor.Run();
            }
            catch (InvalidOperationException)
            {
                // The other loop was first, or the end (an ObjectDisposedException is one).
            }
        }

        /// <summary>Whether the action ran once, or not at all where the disposal came first.</summary>
        public void CheckExecuted(Loop loop)
        {
            Reactor.Dispose();
            Run(Loop.RunOnce);
            WorkItems.RequireInOrder(_ran, 0, loop == Loop.None ? _ran.Count : 1);
        }

        public void Check()
        {
            // Where a loop of steps is over before the disposal, its next step closes.
            Run(Loop.RunOnce);
            Scenario.Require(!Reactor.TryPost(RunItem, "late"), "A post is accepted after the end.");
            WorkItems.RequireInOrder(_ran, _accepted, 0);
        }

        private void RunItem(object? item)
        {
            _ran.Add(_isRunning ? $"{item} inside another" : (string)item!);
            _isRunning = true;
            Worker.Pause("runs an item");
            Scenario.Require(Reactor.IsReactorThread, "An item runs beside the loop of another thread.");
            _isRunning = false;
        }
    }
}
