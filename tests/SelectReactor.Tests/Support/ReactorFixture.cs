using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace SelectReactor.Tests.Support;

/// <summary>
/// A reactor for each test, stepped on the test's own thread, so that a test sees every tick. After each test the
/// reactor is disposed, and nothing of it may be left: no connection, no rented memory.
/// </summary>
[TestFixtureSource(typeof(SelectorKind), nameof(SelectorKind.All))]
public abstract class ReactorFixture(SelectorKind selector)
{
    protected static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    protected static IPEndPoint AnyPort => new(IPAddress.Loopback, 0);

    protected Reactor Reactor { get; private set; } = null!;

    [SetUp]
    public void CreateReactor() => Reactor = new Reactor(Options());

    [TearDown]
    public void DisposeReactor()
    {
        Reactor.Dispose();
        Assert.Multiple(() =>
        {
            Assert.That(Reactor.Clients, Is.Empty, "connections left");
            Assert.That(Reactor.Buffers.Outstanding, Is.Zero, "segments not given back");
        });
    }

    /// <summary>Options with this fixture's selector.</summary>
    protected ReactorOptions Options(
        TimeProvider? time = null,
        ILogger? logger = null,
        bool propagateExceptions = false,
        IHandleFactory? handles = null) =>
        new()
        {
            SelectorFactory = selector.Create,
            TimeProvider = time ?? TimeProvider.System,
            Logger = logger ?? NullLogger.Instance,
            PropagateExceptions = propagateExceptions,
            HandleFactory = handles ?? selector.Handles,
        };

    /// <summary>Steps the loop until something has come true; fails when it does not within
    /// <see cref="Bound"/>.</summary>
    protected void RunUntil(Func<bool> condition, string what = "the condition") => RunUntil(Reactor, condition, what);

    protected static void RunUntil(Reactor reactor, Func<bool> condition, string what = "the condition")
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Bound)
            {
                Assert.Fail($"Not within {Bound.TotalSeconds} s: {what}.");
            }

            reactor.RunOnce(TimeSpan.FromMilliseconds(10));
        }
    }

    /// <summary>Steps the loop until a task has completed, and returns its result or throws its exception.</summary>
    protected T RunUntil<T>(Task<T> task)
    {
        RunUntil(() => task.IsCompleted, "the task");
        return task.GetAwaiter().GetResult();
    }

    protected void RunUntil(Task task)
    {
        RunUntil(() => task.IsCompleted, "the task");
        task.GetAwaiter().GetResult();
    }
}
