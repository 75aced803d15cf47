using SelectReactor.Threading;

namespace SelectReactor.Tests.Threading;

public sealed class ThreadAffinityTests
{
    private ThreadAffinity _affinity = null!;

    [SetUp]
    public void Create() => _affinity = new ThreadAffinity();

    [Test]
    public void Unbound_AnyThreadMayPass_AndNoneIsTheOwner()
    {
        Assert.That(Ask(), Is.EqualTo((false, true)));
        Assert.That(OnAnotherThread(Ask), Is.EqualTo((false, true)));
        Assert.That(_affinity.Verify, Throws.Nothing);
    }

    [Test]
    public void Bound_OnlyTheOwnerMayPass()
    {
        _affinity.Bind();

        Assert.That(Ask(), Is.EqualTo((true, true)));
        Assert.That(OnAnotherThread(Ask), Is.EqualTo((false, false)));
        Assert.That(_affinity.Verify, Throws.Nothing);
        Exception? refused = OnAnotherThread(() => Assert.Catch(() => _affinity.Verify()));
        Assert.That(refused, Is.InstanceOf<InvalidOperationException>()
            .With.Message.Contains($"thread {Environment.CurrentManagedThreadId})"));
    }

    [Test]
    public void Released_AnotherThreadMayBindItself()
    {
        _affinity.Bind();
        _affinity.Release();
        (bool IsCurrent, bool IsCurrentOrUnbound) here = (true, true);
        OnAnotherThread(() =>
        {
            _affinity.Bind();
            here = OnAnotherThread(Ask);
            return true;
        });

        Assert.That(here, Is.EqualTo((false, false)));
    }

    // A program may step the loop on a thread of its own that ends.
    [Test]
    public void AThreadThatHasEnded_IsNoLongerBound_NorIsALaterOneWithItsId()
    {
        OnAnotherThread(() =>
        {
            _affinity.Bind();
            return true;
        });

        Assert.That(Ask(), Is.EqualTo((false, true)));
        for (int i = 0; i < 50; i++)
        {
            // The finalizer of a thread gives its id back.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.That(OnAnotherThread(Ask), Is.EqualTo((false, true)));
        }
    }

    private (bool IsCurrent, bool IsCurrentOrUnbound) Ask() => (_affinity.IsCurrent, _affinity.IsCurrentOrUnbound);

    private static T OnAnotherThread<T>(Func<T> function)
    {
        T result = default!;
        var thread = new Thread(() => result = function());
        thread.Start();
        thread.Join();
        return result;
    }
}
