using SelectReactor.Threading;

namespace SelectReactor.Tests.Selection;

public sealed class SelectionKeyTests
{
    private readonly Handle _handle = new Mock<Handle>().Object;
    private readonly object _attachment = new();
    private Mock<ISelector> _selector = null!;
    private ThreadAffinity _affinity = null!;
    private SelectionKey _key = null!;

    [SetUp]
    public void Create()
    {
        _selector = new Mock<ISelector>(MockBehavior.Strict);
        _affinity = new ThreadAffinity();
        _key = new SelectionKey(_handle, Interest.Read, _attachment, _selector.Object, _affinity);
    }

    [Test]
    public void ANewKey_IsWhatItWasMadeOf()
    {
        Assert.Multiple(() =>
        {
            Assert.That(_key.Handle, Is.SameAs(_handle));
            Assert.That(_key.Attachment, Is.SameAs(_attachment));
            Assert.That(_key.Interest, Is.EqualTo(Interest.Read));
            Assert.That(_key.Ready, Is.EqualTo(Interest.None));
            Assert.That((_key.IsValid, _key.IsEvicted), Is.EqualTo((true, false)));
            Assert.That((_key.Entry.Handle, _key.Entry.Interest), Is.EqualTo((_handle, Interest.Read)));
        });
    }

    [Test]
    public void ANewInterest_ReachesTheSelectorWithTheOldOne()
    {
        _selector.Setup(s => s.Update(_key.Entry, Interest.Read))
            .Callback(() => Assert.That(_key.Interest, Is.EqualTo(Interest.Write)));

        _key.Interest = Interest.Write;

        _selector.Verify(s => s.Update(_key.Entry, Interest.Read), Times.Once);
    }

    [Test]
    public void AnInterestThatTheSelectorRefuses_IsNotStored()
    {
        _selector.Setup(s => s.Update(_key.Entry, Interest.Read)).Throws(new IOException("no memory"));

        Assert.That(() => _key.Interest = Interest.Write, Throws.InstanceOf<IOException>());
        Assert.That((_key.Interest, _key.IsValid), Is.EqualTo((Interest.Read, true)));

        // Not taken for the value that it has already: the second attempt reaches the selector too.
        Assert.That(() => _key.Interest = Interest.Write, Throws.InstanceOf<IOException>());
        _selector.Verify(s => s.Update(_key.Entry, Interest.Read), Times.Exactly(2));
    }

    [Test]
    public void AnEqualInterest_DoesNotReachTheSelector()
    {
        _key.Interest = Interest.Read;

        _selector.VerifyNoOtherCalls();
    }

    [Test]
    public void Cancel_RemovesTheKeyOnce_AndLeavesTheHandleOpen()
    {
        _selector.Setup(s => s.Remove(_key.Entry))
            .Callback(() => Assert.That(_key.Interest, Is.EqualTo(Interest.Read)));

        _key.Cancel();
        _key.Cancel();

        _selector.Verify(s => s.Remove(_key.Entry), Times.Once);
        Assert.That(_key.IsValid, Is.False);
        Mock.Get(_handle).Verify(h => h.Close(), Times.Never);
    }

    [Test]
    public void TheInterestOfACancelledKey_CanNotBeSet()
    {
        _selector.Setup(s => s.Remove(_key.Entry));
        _key.Cancel();

        Assert.That(() => _key.Interest = Interest.Write, Throws.InvalidOperationException);
        Assert.That(() => _key.Interest = Interest.Read, Throws.InvalidOperationException);
        Assert.That(_key.Interest, Is.EqualTo(Interest.Read));
    }

    [Test]
    public void AnEvictedKey_IsReadyForAllItAsked_AndLeavesTheSelectorAlone()
    {
        _key.Entry.Evict();
        Assert.That((_key.IsEvicted, _key.IsValid, _key.Ready), Is.EqualTo((true, true, Interest.Read)));

        _key.Interest = Interest.Write;
        _key.Cancel();

        Assert.That((_key.Interest, _key.IsValid), Is.EqualTo((Interest.Write, false)));
        _selector.VerifyNoOtherCalls();
    }

    [Test]
    public void AnotherThread_IsRefused()
    {
        _affinity.Bind();
        var errors = new List<Exception?>();
        var thread = new Thread(() =>
        {
            errors.Add(Assert.Catch(() => _key.Interest = Interest.Write));
            errors.Add(Assert.Catch(() => _key.Interest = Interest.Read));
            errors.Add(Assert.Catch(() => _key.Cancel()));
        });
        thread.Start();
        thread.Join();

        Assert.That(errors, Has.Count.EqualTo(3).And.All.InstanceOf<InvalidOperationException>());
        Assert.That((_key.Interest, _key.IsValid), Is.EqualTo((Interest.Read, true)));
    }
}
