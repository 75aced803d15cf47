using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class SelectorTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void Select_IsLevelTriggered()
    {
        (Handle client, Handle server) = Pair();
        SelectionKey key = Register(server, Interest.Read);
        SendAll(client, [1, 2]);

        AssertReady(key, Interest.Read);
        AssertReady(key, Interest.Read);
        ReceiveAll(server, 1);
        AssertReady(key, Interest.Read);
        ReceiveAll(server, 1);

        AssertNothing(TimeSpan.Zero);
    }

    [Test]
    public void Select_ReportsOnlyWhatIsAskedFor()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1]);
        WaitFor(server, Interest.Read);

        Interest[] all = [Interest.Read, Interest.Write, Interest.Connect, Interest.Read | Interest.Write];
        foreach (Interest interest in all)
        {
            SelectionKey key = Register(server, interest);
            AssertReady(key, interest);
            Assert.That(key.Ready, Is.EqualTo(interest));
            key.Cancel();
        }
    }

    [Test]
    public void Select_WithNoInterest_ReportsNothing()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1]);
        WaitFor(server, Interest.Read);
        Register(server, Interest.None);

        Select(TimeSpan.Zero);

        Assert.That(Ready, Is.Empty);
    }

    [Test]
    public void Select_ReportsEachKeyOnce_AndAllThatAreReady()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1]);
        SendAll(server, [1]);
        WaitFor(server, Interest.Read);
        WaitFor(client, Interest.Read);
        const Interest Both = Interest.Read | Interest.Write;
        SelectionKey[] keys = [Register(client, Both), Register(server, Both)];

        Select(Bound);

        Assert.That(Ready, Is.EquivalentTo(keys));
        Assert.That(Ready.Select(static key => key.Ready), Is.All.EqualTo(Both));
    }

    [Test]
    public void Select_ClearsWhatItFoundBefore()
    {
        Handle client = Pair().Client;
        SelectionKey key = Register(client, Interest.Write);
        AssertReady(key, Interest.Write);
        key.Interest = Interest.None;

        Select(TimeSpan.Zero);

        Assert.That(Ready, Is.Empty);
        Assert.That(key.Ready, Is.EqualTo(Interest.None));
    }

    [Test]
    public void Update_TakesEffectAtTheNextWait()
    {
        (Handle client, Handle server) = Pair();
        SendAll(client, [1]);
        WaitFor(server, Interest.Read);
        SelectionKey key = Register(server, Interest.None);

        key.Interest = Interest.Write;
        AssertReady(key, Interest.Write);
        key.Interest = Interest.Read;
        AssertReady(key, Interest.Read);
        key.Interest = Interest.Read | Interest.Write;
        AssertReady(key, Interest.Read | Interest.Write);
        key.Interest = Interest.None;
        Select(TimeSpan.Zero);
        Assert.That(Ready, Is.Empty);
    }

    [Test]
    public void Remove_TakesEffectAtTheNextWait()
    {
        Handle client = Pair().Client;
        SelectionKey key = Register(client, Interest.Write);
        AssertReady(key, Interest.Write);

        key.Cancel();
        Select(TimeSpan.Zero);

        Assert.That(Ready, Is.Empty);
        Assert.That(client.IsClosed, Is.False);
    }

    [Test]
    public void Remove_OfOneOfMany_LeavesTheOthers()
    {
        Handle client = Pair().Client, other = Pair().Client, last = Pair().Client;
        SelectionKey first = Register(client, Interest.Write);
        SelectionKey[] rest = [Register(other, Interest.Write), Register(last, Interest.Write)];

        first.Cancel();
        Select(Bound);
        Assert.That(Ready, Is.EquivalentTo(rest));
        rest[1].Cancel();
        Select(Bound);
        Assert.That(Ready, Is.EqualTo(rest[..1]));
    }

    [Test]
    public void Handle_MayBeRegisteredAgain_WithAnotherKey()
    {
        Handle client = Pair().Client;
        Register(client, Interest.Write).Cancel();
        SelectionKey key = Register(client, Interest.Write);

        AssertReady(key, Interest.Write);
        Assert.That(Ready, Is.EqualTo(new[] { key }));
    }

    [Test]
    public void ForeignHandle_IsRefused()
    {
        using var foreign = new ForeignHandle();
        SelectionKey key = NewKey(foreign, Interest.Read);

        Assert.That(() => Selector.Add(key.Entry), Throws.ArgumentException);
    }

    [Test]
    public void ClosedHandle_IsEvicted_AndReportedOnce()
    {
        Assume.That(Evicts, Is.True);
        Handle client = Pair().Client, other = Pair().Client;
        SelectionKey key = Register(client, Interest.Read);
        SelectionKey bystander = Register(other, Interest.Write);
        client.Close();

        Select(Bound);
        Assert.That(Ready, Does.Contain(key));
        Assert.That((key.IsEvicted, key.IsValid, key.Ready), Is.EqualTo((true, true, Interest.Read)));

        AssertReady(bystander, Interest.Write);
        Assert.That(Ready, Is.EqualTo(new[] { bystander }));
        key.Interest = Interest.Write;
        key.Cancel();
        AssertReady(bystander, Interest.Write);
        Assert.That(Ready, Is.EqualTo(new[] { bystander }));
    }

    [Test]
    public void ClosedHandle_WithoutInterest_IsNotReported()
    {
        Handle client = Pair().Client;
        SelectionKey key = Register(client, Interest.None);
        client.Close();

        AssertNothing(TimeSpan.Zero);
        Assert.That(key.IsEvicted, Is.False);
        key.Cancel();
    }

    [Test]
    public void ClosedHandle_OfWhichTheKeyWasCancelled_IsForgotten()
    {
        Handle client = Pair().Client;
        SelectionKey key = Register(client, Interest.Read);
        key.Cancel();
        client.Close();

        AssertNothing(TimeSpan.Zero);
        Assert.That(key.IsEvicted, Is.False);
    }

    [Test]
    public void NewHandle_IsNotTakenForAClosedOne_WhoseDescriptorItHas()
    {
        Handle client = Pair().Client;
        SelectionKey old = Register(client, Interest.Read);
        (Handle sender, Handle receiver) = Pair();
        old.Cancel();
        client.Close();
        Handle reused = NewStream();
        Assert.That(reused.Connect(Listening().LocalEndPoint!), Is.EqualTo(SocketError.WouldBlock));
        SelectionKey key = Register(reused, Interest.Connect);
        SelectionKey other = Register(receiver, Interest.Read);
        SendAll(sender, [1]);

        AssertReady(key, Interest.Connect);
        AssertReady(other, Interest.Read);
        Assert.That(old.Ready, Is.EqualTo(Interest.None));
        Assert.That(Ready, Does.Not.Contain(old));
    }

    [Test]
    public void SecondKeyOnOneHandle_IsRefused_UntilTheFirstIsCancelled()
    {
        (Handle client, _) = Pair();
        using var reactor = new Reactor(new ReactorOptions { SelectorFactory = () => Selector });
        var handler = new Mock<IEventHandler>();
        SelectionKey key = reactor.Register(client, Interest.Read, handler.Object);

        Assert.That(
            () => reactor.Register(client, Interest.Read, handler.Object),
            Throws.InvalidOperationException.With.Message.Contains(client.ToString()!));

        key.Cancel();
        SelectionKey second = reactor.Register(client, Interest.Read, handler.Object);
        second.Cancel();
    }

    private void AssertReady(SelectionKey key, Interest interest)
    {
        TimeSpan end = Now + Bound;
        do
        {
            Select(Bound);
        }
        while ((key.Ready & interest) != interest && Now < end);
        Assert.That(key.Ready & interest, Is.EqualTo(interest));
        Assert.That(Ready, Does.Contain(key));
    }

    private void AssertNothing(TimeSpan wait)
    {
        Select(wait);
        if (IsHonest)
        {
            Assert.That(Ready, Is.Empty);
        }
    }

    private sealed class ForeignHandle : Handle
    {
        public override bool IsClosed => false;

        public override void Close()
        {
        }
    }
}
