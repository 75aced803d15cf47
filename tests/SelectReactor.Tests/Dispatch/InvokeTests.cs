using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>The calls into the loop with an answer: each kind of function, and each way in which it can end.</summary>
public sealed class InvokeTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly AsyncLocal<string?> _local = new();

    /// <summary>Each function counts its calls in <see cref="_calls"/>, on the reactor's thread only.</summary>
    private int _calls;

    [SetUp]
    public void Clear() => _calls = 0;

    // The static types are the test: with another overload these lines would not compile, or the task would complete
    // before the function has.
    [Test]
    [SuppressMessage("Style", "IDE0008", Justification = "The declared types are what is tested.")]
    public void EveryLambda_FindsItsOverload()
    {
        Task action = Reactor.InvokeAsync(() => { _calls++; });
        Task<int> function = Reactor.InvokeAsync(() => ++_calls);
        Task asynchronous = Reactor.InvokeAsync(async () => { await Step(); });
        Task<int> withResult = Reactor.InvokeAsync(async () => await Step());
        Task<int> constant = Reactor.InvokeAsync(async () =>
        {
            await Step();
            return 1;
        });
        Task task = Reactor.InvokeAsync(() => (Task)Step());
        Task<int> taskWithResult = Reactor.InvokeAsync(() => Step());
        Task valueTask = Reactor.InvokeAsync(() => StepAsValue());
        Task<int> valueTaskWithResult = Reactor.InvokeAsync(() => StepAsValueWithResult());
        Task throwing = Reactor.InvokeAsync(() => throw new InvalidDataException());
        Task<int> throwingWithResult = Reactor.InvokeAsync<int>(() => throw new InvalidDataException());
        Task[] all =
        [
            action, function, asynchronous, withResult, constant, task, taskWithResult, valueTask, valueTaskWithResult,
        ];
        RunUntil(() => all.All(static one => one.IsCompleted));

        Assert.That(all.Select(static one => one.Exception), Has.All.Null);
        Assert.That((_calls, constant.Result), Is.EqualTo((9, 1)));
        Assert.That(
            new[] { function.Result, withResult.Result, taskWithResult.Result, valueTaskWithResult.Result },
            Is.Unique.And.All.Positive);
        Assert.That(() => RunUntil(throwing), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => RunUntil(throwingWithResult), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void EveryMethodGroup_FindsItsOverload()
    {
        Task action = Reactor.InvokeAsync(Count);
        Task<int> function = Reactor.InvokeAsync(CountWithResult);
        Task asynchronous = Reactor.InvokeAsync(StepWithoutResult);
        Task<int> withResult = Reactor.InvokeAsync(Step);
        Task valueTask = Reactor.InvokeAsync(StepAsValue);
        Task<int> valueTaskWithResult = Reactor.InvokeAsync(StepAsValueWithResult);
        Task[] all = [action, function, asynchronous, withResult, valueTask, valueTaskWithResult];
        RunUntil(() => all.All(static one => one.IsCompleted));

        Assert.That(all.Select(static one => one.Exception), Has.All.Null);
        Assert.That(_calls, Is.EqualTo(6));
        Assert.That(
            new[] { function.Result, withResult.Result, valueTaskWithResult.Result }, Is.Unique.And.All.Positive);
    }

    [Test]
    public void ATask_IsWaitedFor_AndItsCodeStaysOnTheLoop()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        List<bool> onLoop = [];
        var invoked = Task.Run(() => Reactor.InvokeAsync(async () =>
        {
            onLoop.Add(Reactor.IsReactorThread);
            await gate.Task;
            onLoop.Add(Reactor.IsReactorThread);
            return 7;
        }));
        RunUntil(() => onLoop.Count == 1);
        Assert.That(invoked.IsCompleted, Is.False);
        gate.SetResult();

        Assert.That(RunUntil(invoked), Is.EqualTo(7));
        Assert.That(onLoop, Is.EqualTo(new[] { true, true }));
    }

    [Test]
    public void CodeThatAwaitsIt_OnTheLoop_StaysThere_WithAContextOrWithout([Values] bool configured)
    {
        var gate = new TaskCompletionSource();
        List<bool> onLoop = [];
        Task<int> all = Reactor.InvokeAsync(async () =>
        {
            onLoop.Add(Reactor.IsReactorThread);
            await Reactor.InvokeAsync(Count).ConfigureAwait(configured);
            onLoop.Add(Reactor.IsReactorThread);
            await Reactor.InvokeAsync(async () => await gate.Task).ConfigureAwait(configured);
            onLoop.Add(Reactor.IsReactorThread);
            return 0;
        });
        RunUntil(() => onLoop.Count == 2);
        Reactor.Post(gate.SetResult);
        RunUntil(all);

        Assert.That(onLoop, Is.EqualTo(new[] { true, true, true }));
    }

    // SetResult runs the code after an await inside the call. Code that waits for the invocation must not: its
    // context would reach the user in the middle of a callback.
    [Test]
    public void ItsEnd_IsNeverTold_InsideAUsersCall()
    {
        var gate = new TaskCompletionSource();
        bool isInside = false;
        bool? wasInside = null;
        Reactor.Post(async () =>
        {
            await Reactor.InvokeAsync(async () => await gate.Task).ConfigureAwait(false);
            wasInside = isInside;
        });
        Reactor.RunOnce(TimeSpan.Zero);
        Reactor.RunOnce(TimeSpan.Zero);
        SynchronizationContext? context = null;
        Reactor.Post(() =>
        {
            isInside = true;
            gate.SetResult();
            context = SynchronizationContext.Current;
            isInside = false;
        });
        RunUntil(() => wasInside is not null);

        Assert.That(wasInside, Is.False);
        Assert.That(context, Is.SameAs(Reactor.SynchronizationContext));
    }

    [Test]
    public void TheCallersContext_FlowsThroughTheAwaits()
    {
        var calling = Task.Run(() =>
        {
            _local.Value = "the caller's";
            return Reactor.InvokeAsync(async () =>
            {
                string? before = _local.Value;
                await Task.Yield();
                return (before, _local.Value);
            });
        });

        Assert.That(RunUntil(calling), Is.EqualTo(("the caller's", "the caller's")));
        string? afterwards = "?";
        Reactor.Post(() => afterwards = _local.Value);
        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(afterwards, Is.Null);
    }

    [Test]
    public void Exceptions_KeepTheirStack_AndNoneOfSeveralIsLost()
    {
        Task deep = Reactor.InvokeAsync(async () =>
        {
            await Task.Yield();
            ThrowDeep();
        });
        Task several = Reactor.InvokeAsync(() => Task.WhenAll(
            Task.FromException(new InvalidDataException("1")), Task.FromException(new InvalidDataException("2"))));
        RunUntil(() => deep.IsCompleted && several.IsCompleted);

        Assert.That(deep.Exception?.InnerException?.StackTrace, Does.Contain(nameof(ThrowDeep)));
        Assert.That(several.Exception?.InnerExceptions, Has.Count.EqualTo(2));
    }

    [Test]
    public void ACancelledTask_IsCancelled_WithItsToken([Values] bool later)
    {
        using var source = new CancellationTokenSource();
        Task invoked = Reactor.InvokeAsync(() => Task.Delay(Timeout.InfiniteTimeSpan, source.Token));
        Reactor.RunOnce(TimeSpan.Zero);
        if (later)
        {
            Reactor.Post(source.Cancel);
        }
        else
        {
            source.Cancel();
        }

        RunUntil(() => invoked.IsCompleted);
        Assert.That(invoked.IsCanceled);
        Assert.That(
            () => invoked.GetAwaiter().GetResult(),
            Throws.InstanceOf<OperationCanceledException>()
                .With.Property(nameof(OperationCanceledException.CancellationToken)).EqualTo(source.Token));
    }

    [Test]
    public void NullInPlaceOfATask_IsNamed()
    {
        Task invoked = Reactor.InvokeAsync(static () => (Task)null!);
        Task<int> withResult = Reactor.InvokeAsync(static () => (Task<int>)null!);

        Assert.That(() => RunUntil(invoked), Throws.InvalidOperationException.With.Message.Contains("null"));
        Assert.That(() => RunUntil(withResult), Throws.InvalidOperationException.With.Message.Contains("null"));
    }

    [Test]
    public void NullInPlaceOfAFunction_IsRefused()
    {
        Assert.That(() => Reactor.InvokeAsync((Action)null!), Throws.ArgumentNullException);
        Assert.That(() => Reactor.InvokeAsync((Func<int>)null!), Throws.ArgumentNullException);
        Assert.That(() => Reactor.InvokeAsync((Func<Task>)null!), Throws.ArgumentNullException);
        Assert.That(() => Reactor.InvokeAsync((Func<Task<int>>)null!), Throws.ArgumentNullException);
        Assert.That(() => Reactor.InvokeAsync((Func<ValueTask>)null!), Throws.ArgumentNullException);
        Assert.That(() => Reactor.InvokeAsync((Func<ValueTask<int>>)null!), Throws.ArgumentNullException);
    }

    [Test]
    public void AfterDispose_EachSaysSo_AndRunsNothing()
    {
        Reactor.Dispose();
        Task[] all =
        [
            Reactor.InvokeAsync(Count),
            Reactor.InvokeAsync(CountWithResult),
            Reactor.InvokeAsync(StepWithoutResult),
            Reactor.InvokeAsync(Step),
            Reactor.InvokeAsync(StepAsValue),
            Reactor.InvokeAsync(StepAsValueWithResult),
        ];

        foreach (Task one in all)
        {
            Assert.That(
                () => one.WaitAsync(Bound).GetAwaiter().GetResult(),
                Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Create a new one")
                    .And.Property(nameof(ObjectDisposedException.ObjectName)).EqualTo("SelectReactor.Reactor"));
        }

        Assert.That(_calls, Is.Zero);
    }

    [Test]
    public void AFunctionUnderWay_WhenTheReactorIsDisposed_StillEnds()
    {
        var log = new ListLogger();
        using var reactor = new Reactor(Options(logger: log));
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isStarted = false;
        var invoked = Task.Run(() => reactor.InvokeAsync(async () =>
        {
            isStarted = true;
            await gate.Task;
            return 3;
        }));
        RunUntil(reactor, () => isStarted);
        reactor.Dispose();
        gate.SetResult();

        Assert.That(invoked.WaitAsync(Bound).GetAwaiter().GetResult(), Is.EqualTo(3));
        Assert.That(log.Entries.Where(static entry => entry.Level > LogLevel.Warning), Is.Empty);
    }

    [Test]
    public void TryPost_IsAPostThatSaysNo()
    {
        List<object?> seen = [];
        Assert.That(Reactor.TryPost(() => seen.Add("first")));
        Assert.That(Reactor.TryPost(seen.Add, "second"));
        Assert.That(seen, Is.Empty);
        Reactor.RunOnce(TimeSpan.Zero);
        Assert.That(seen, Is.EqualTo(new[] { "first", "second" }));
        Assert.That(() => Reactor.TryPost(null!), Throws.ArgumentNullException);
        Assert.That(() => Reactor.TryPost(null!, "third"), Throws.ArgumentNullException);

        Reactor.Dispose();
        Assert.That(Reactor.TryPost(() => seen.Add("third")), Is.False);
        Assert.That(Reactor.TryPost(seen.Add, "third"), Is.False);
        Assert.That(
            () => Reactor.Post(() => seen.Add("third")),
            Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Create a new one"));
        Assert.That(seen, Has.Count.EqualTo(2));
    }

    private static void ThrowDeep() => throw new InvalidDataException("deep");

    private void Count()
    {
        Reactor.VerifyAccess();
        _calls++;
    }

    private int CountWithResult() => ++_calls;

    private Task StepWithoutResult() => Step();

    private async Task<int> Step()
    {
        await Task.Yield();
        Reactor.VerifyAccess();
        return ++_calls;
    }

    private async ValueTask StepAsValue() => await Step();

    private async ValueTask<int> StepAsValueWithResult() => await Step();
}
