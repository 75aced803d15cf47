using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>When a wait ends.</summary>
public sealed class SelectorWaitTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void Select_WithNoKey_LastsAsLongAsItIsTold()
    {
        TimeSpan before = Now;

        Select(Quiet);

        Assert.That(Ready, Is.Empty);
        Assert.That(Now - before, Is.GreaterThanOrEqualTo(Quiet));
    }

    [Test]
    public void Select_WithNothingReady_LastsAsLongAsItIsTold()
    {
        Register(Pair().Client, Interest.None);
        Register(Listening(), Interest.Connect);
        TimeSpan before = Now;

        Select(Quiet);

        Assert.That(Ready, Is.Empty);
        Assert.That(Now - before, Is.GreaterThanOrEqualTo(Quiet));
    }

    [Test]
    public void Select_OfZero_OnlyLooks()
    {
        Handle client = Pair().Client;
        SelectionKey key = Register(client, Interest.None);
        Select(TimeSpan.Zero);
        Assert.That(Ready, Is.Empty);

        key.Interest = Interest.Write;
        Select(Bound);
        Select(TimeSpan.Zero);
        Assert.That(Ready, Is.EqualTo(new[] { key }));
    }

    [Test]
    public void Select_WithoutLimit_EndsWhenAKeyIsReady()
    {
        (Handle client, Handle server) = Pair();
        SelectionKey key = Register(server, Interest.Read);
        SendAll(client, [1]);

        Select(Timeout.InfiniteTimeSpan);

        Assert.That(Ready, Is.EqualTo(new[] { key }));
    }

    [Test]
    public void Select_EndsEarly_WhenAKeyIsReady()
    {
        Handle listener = Listening();
        SelectionKey key = Register(Connecting(listener.LocalEndPoint!), Interest.Connect);
        TimeSpan before = Now;

        Select(Bound);

        Assert.That(Ready, Is.EqualTo(new[] { key }));
        Assert.That(Now - before, Is.LessThan(Bound));
    }

    [Test]
    public void Wake_EndsTheNextWait_AndOnlyThat([Values(1, 2, 100)] int times)
    {
        for (int i = 0; i < times; i++)
        {
            Selector.Wake();
        }

        TimeSpan before = Now;
        Select(Timeout.InfiniteTimeSpan);
        Assert.That(Ready, Is.Empty);
        Assert.That(Now - before, Is.LessThan(Bound));

        before = Now;
        Select(Quiet);
        Assert.That(Now - before, Is.GreaterThanOrEqualTo(Quiet));
    }

    [Test]
    public void Wake_IsTakenByALookAsWell()
    {
        Selector.Wake();
        Select(TimeSpan.Zero);

        TimeSpan before = Now;
        Select(Quiet);
        Assert.That(Now - before, Is.GreaterThanOrEqualTo(Quiet));
    }

    [Test]
    public void Wake_DoesNotHideWhatIsReady()
    {
        Handle client = Pair().Client;
        WaitFor(client, Interest.Write);
        SelectionKey key = Register(client, Interest.Write);
        Selector.Wake();

        Select(Bound);

        Assert.That(Ready, Is.EqualTo(new[] { key }));
    }

    [Test]
    public void Wake_AfterDispose_DoesNotThrow()
    {
        Selector.Dispose();

        Assert.That(Selector.Wake, Throws.Nothing);
    }

    [Test]
    public void ClosedListener_IsEvicted()
    {
        Assume.That(Evicts, Is.True);
        Handle listener = Listening();
        SelectionKey key = Register(listener, Interest.Read);
        listener.Close();

        Select(Timeout.InfiniteTimeSpan);

        Assert.That(Ready, Is.EqualTo(new[] { key }));
        Assert.That(key.IsEvicted, Is.True);
        Assert.That(listener.Accept(out _), Is.EqualTo(SocketError.OperationAborted));
    }
}
