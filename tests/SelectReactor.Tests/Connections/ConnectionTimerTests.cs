using System.Diagnostics;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Timers that belong to a connection.</summary>
public sealed class ConnectionTimerTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private static readonly Action<Connection>[] _ends =
    [
        static connection => connection.Close(),
        static connection => connection.Close(CloseKind.ProtocolError, null),
        static connection => connection.Abort(),
        static connection => connection.Abort(CloseKind.TimedOut, null),
        static connection => connection.Output.Complete(new IOException("no")),
    ];

    [Test]
    public void ATimer_CallsBackOnce_OnTheReactorsThread()
    {
        int calls = 0;
        Connect();
        ReactorTimer timer = Connection.Schedule(TimeSpan.Zero, () => calls += Reactor.IsReactorThread ? 1 : 100);
        RunSome();

        Assert.That((calls, timer.IsActive), Is.EqualTo((1, false)));
    }

    [Test]
    public void ATimer_CanBeMadePeriodic()
    {
        int calls = 0;
        Connect();
        ReactorTimer timer = Connection.Schedule(TimeSpan.Zero, () => calls++);
        timer.Change(TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        RunUntil(() => calls >= 3);

        Connection.Close();
        Assert.That(timer.IsActive, Is.False);
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public void EachEnd_CancelsTheTimers_AlsoThoseThatAreDue(int end)
    {
        int calls = 0;
        Connect();
        ReactorTimer[] timers =
            [.. Enumerable.Range(0, 40).Select(i => Connection.Schedule(TimeSpan.FromTicks(i % 2), () => calls++))];
        _ends[end](Connection);

        Assert.That(timers.Any(static timer => timer.IsActive), Is.False);
        timers[0].Change(TimeSpan.Zero);
        RunSome();
        Assert.That(calls, Is.Zero, "not even when it is changed afterwards");
    }

    [Test]
    public void ATimerThatClosesItsConnection_StopsTheOthersOfTheSameTick()
    {
        int calls = 0;
        Connect();
        Connection connection = Connection;
        for (int i = 0; i < 3; i++)
        {
            connection.Schedule(TimeSpan.Zero, () =>
            {
                calls++;
                connection.Close();
            });
        }

        RunSome();
        Assert.That(calls, Is.EqualTo(1));
    }

    [Test]
    public void APeersReset_CancelsTheTimers()
    {
        Peer peer = Connect();
        ReactorTimer timer = Connection.Schedule(TimeSpan.FromHours(1), static () => { });
        peer.Reset();
        RunUntilClosed();

        Assert.That(timer.IsActive, Is.False);
    }

    [Test]
    public void AClosedConnection_GivesATimerThatIsNotActive()
    {
        Connect();
        Connection.Abort();
        RunUntilClosed();
        ReactorTimer timer = Connection.Schedule(TimeSpan.Zero, static () => throw new UnreachableException());

        Assert.That(timer.IsActive, Is.False);
    }

    [Test]
    public void ATimerThatIsMadePeriodicAfterTheClose_Ends()
    {
        int calls = 0;
        Connect();
        ReactorTimer timer = Connection.Schedule(TimeSpan.Zero, () => calls++);
        for (int i = 0; i < 40; i++)
        {
            Fire();
        }

        timer.Change(TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        Connection.Abort();
        timer.Change(TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        RunUntilClosed();
        RunSome();

        Assert.That((calls, timer.IsActive), Is.EqualTo((1, false)));
    }

    [Test]
    public void ACallbackThatThrows_IsAFaultOfTheConnection()
    {
        Connect();
        Connection.Schedule(TimeSpan.Zero, static () => throw new InvalidOperationException("mine"));

        CloseReason reason = RunUntilClosed();
        Assert.That((reason.Kind, reason.Error?.Message), Is.EqualTo((CloseKind.HandlerFault, "mine")));
    }

    [Test]
    public void Arguments_AreChecked()
    {
        Connect();
        Assert.Throws<ArgumentNullException>(() => Connection.Schedule(TimeSpan.Zero, null!));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Connection.Schedule(TimeSpan.FromTicks(-1), static () => { }));
    }

    [Test]
    public void TimersThatHaveFired_AreLetGo()
    {
        Connect();
        List<WeakReference> timers = [];
        for (int i = 0; i < 100; i++)
        {
            timers.Add(Fire());
        }

        GC.Collect();
        Assert.That(timers.Count(static timer => timer.IsAlive), Is.LessThan(40));
    }

    private WeakReference Fire()
    {
        ReactorTimer timer = Connection.Schedule(TimeSpan.Zero, static () => { });
        Reactor.RunOnce(TimeSpan.Zero);
        Reactor.RunOnce(TimeSpan.Zero);
        return new WeakReference(timer);
    }
}
