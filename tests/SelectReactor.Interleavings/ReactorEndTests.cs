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
                Letters.RequireInOrder(ran, 1, 0);
            }
        });

        outcome.AssertSound(atLeast: 300);
    }

    [TestCase(1, Loop.None, 3)]
    [TestCase(1, Loop.Run, 2)]
    [TestCase(1, Loop.RunOnce, 2)]
    [TestCase(2, Loop.None, 1)]
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
    public void DisposeInALetter_RunsWhatWasAccepted_AndRefusesTheRest()
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

    /// <summary>A reactor that is about to be disposed, and what becomes of the letters.</summary>
    private sealed class End
    {
        private readonly List<string> _ran = [];
        private int _accepted;
        private bool _isRunning;

        public Reactor Reactor { get; } = new();

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
        }

        public void Post(int letters)
        {
            for (int i = 1; i <= letters && Reactor.TryPost(RunLetter, $"a{i}"); i++)
            {
                _accepted++;
            }
        }

        public void Check()
        {
            Scenario.Require(!Reactor.TryPost(RunLetter, "late"), "A letter is accepted after the end.");
            Letters.RequireInOrder(_ran, _accepted, 0);
        }

        private void RunLetter(object? letter)
        {
            _ran.Add(_isRunning ? $"{letter} inside another" : (string)letter!);
            _isRunning = true;
            Worker.Pause("runs a letter");
            _isRunning = false;
        }
    }
}
