using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The text of <see cref="Reactor.Dump()"/>: on the loop, on another thread and of a loop that
/// hangs.</summary>
public sealed class DumpTests : MeterFixture
{
    [Test]
    public void Dump_ShowsTheLoopItsListenersAndItsConnections()
    {
        Listener listener = Listen(new ListenerOptions
        {
            Connection = new ConnectionOptions { IdleTimeout = TimeSpan.FromSeconds(90) },
        });
        Connection peer = Connect();
        ServerHandler.Readable = static _ => { };
        OnClient(() => peer.TryWrite(new byte[12]));
        OnServer(() => ServerHandler.Connection.PauseReading());
        Network.RunFor(TimeSpan.FromSeconds(30));
        OnServer(listener.Pause);
        Server.Reactor.Post(static () => { });

        string[] lines = Server.Reactor.Dump().Split('\n');
        Assert.That(lines[0], Is.EqualTo("Reactor: not running, 1 connections"));
        Assert.That(lines, Has.Some.EqualTo("Posted callbacks that wait: 1"));
        Assert.That(lines, Has.Some.StartsWith("Timers: 1, the next in "));
        Assert.That(
            lines,
            Has.Some.EqualTo(
                "  Listener on 10.0.0.1:7: 1 connections, 1 accepted, 0 refused, not accepting: Pause was called"));
        Assert.That(lines, Has.Some.EqualTo("Connections: 1 (1 Open)"));
        string connection = lines.Single(static line => line.StartsWith("  Connection 1:", StringComparison.Ordinal));
        Assert.That(connection, Does.StartWith("  Connection 1: 10.0.0.1:7 to 10.0.0.2:"));
        Assert.That(
            connection, Does.Contain(", Open, ScriptedHandler, in 12 B (12 B unread), out 0 B (0 B queued), "));
        Assert.That(connection, Does.Contain("not reading for 30 s (User), open for 30 s"));
        Assert.That(connection, Does.Not.Contain("sent"), "nothing was sent");
    }

    [Test]
    public void Dump_ShowsTheNextDeadline_AndWhatEndedAConnection()
    {
        Listen(new ListenerOptions
        {
            Connection = new ConnectionOptions { IdleTimeout = TimeSpan.FromSeconds(90) },
        });
        Connect();
        Network.RunFor(TimeSpan.FromSeconds(30));
        Assert.That(
            Server.Reactor.Dump(),
            Does.Contain("cut in 60 s if by then nothing was received or sent within 90 s"));

        string closing = "";
        OnServer(() =>
        {
            ServerHandler.Connection.Abort(new IOException("enough"));
            closing = Server.Reactor.Dump();
        });
        Assert.That(closing, Does.Contain("1 Closing").And.Contain("ends with Aborted: enough"));
    }

    [Test]
    public void Dump_ShowsTheFullestConnectionsFirst_AndCountsTheRest()
    {
        Listen();
        for (int i = 0; i < 20; i++)
        {
            Connect();
        }

        Connection full = ServerHandler.Connections[13];
        string dump = "";
        OnServer(() =>
        {
            full.TryWrite(new byte[1000]);
            dump = Server.Reactor.Dump(3, TimeSpan.Zero);
        });

        string[] lines = dump.Split('\n');
        int heading = Array.IndexOf(lines, "Connections: 20 (20 Open)");
        Assert.That(lines[heading + 1], Does.StartWith($"  Connection {full.Id}:").And.Contain("(1000 B queued)"));
        Assert.That(lines[heading + 4], Is.EqualTo("  … and 17 more"));
    }

    [Test]
    public void OnAnotherThread_TheLoopWritesIt()
    {
        using var thread = new ReactorThread();
        string dump = thread.Reactor.Dump(10, TimeSpan.MaxValue);

        Assert.That(dump, Does.StartWith("Reactor: running, 0 connections\n").And.Not.Contain("NOT ANSWERED"));
    }

    [Test]
    public void LoopThatHangs_IsDumpedAllTheSame()
    {
        using var thread = new ReactorThread();
        using var begun = new ManualResetEventSlim();
        using var released = new ManualResetEventSlim();
        Listener listener = thread.Reactor.ListenAsync(
            new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0), new Blocker(begun, released)).Result;
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send([1]);
        begun.Wait();
        string dump = thread.Reactor.Dump(10, TimeSpan.FromMilliseconds(10));
        released.Set();

        Assert.That(dump, Does.Contain("THE LOOP HAS NOT ANSWERED WITHIN 10 ms. It is in "));
        Assert.That(dump, Does.Contain($"{nameof(DumpTests)}.{nameof(Blocker)} (Connection 1: "));
        Assert.That(dump, Does.Contain("), and has not waited for events for "));
        Assert.That(dump, Does.Contain("Connections: 1 (1 Open)").And.Contain("in 1 B (1 B unread)"));
        Assert.That(dump, Does.Contain("Posted callbacks that wait: 1"), "the request for the dump");
    }

    [TestCase(WhenFull.Pause, "not accepting")]
    [TestCase(WhenFull.Refuse, "refusing clients")]
    public void AListenerAtALimit_TellsWhich(WhenFull whenFull, string what)
    {
        Listen(new ListenerOptions { MaxConnections = 1, WhenFull = whenFull });
        Connect();

        Assert.That(
            Server.Reactor.Dump(),
            Does.Contain($"0 refused, {what}: 1 connections of 1, ListenerOptions.MaxConnections\n"));
    }

    [Test]
    public void LineBreaksOfAMessage_ForgeNoLine()
    {
        Listen();
        Connect();
        string dump = "";
        OnServer(() =>
        {
            ServerHandler.Connection.Abort(new IOException("one\n  Connection 2: two"));
            dump = Server.Reactor.Dump();
        });

        Assert.That(dump, Does.Contain("ends with Aborted: one   Connection 2: two\n"));
    }

    [Test]
    public void LoopThatNobodyRuns_IsNoLoopThatHangs()
    {
        using var reactor = new Reactor();
        reactor.RunOnce(TimeSpan.Zero);
        string dump = Task.Run(() => reactor.Dump(10, TimeSpan.Zero)).Result;

        Assert.That(dump, Does.Contain("No thread runs the loop at the moment").And.Not.Contain("NOT ANSWERED"));
    }

    [Test]
    public void CallbackThatHangsAtTheEnd_IsSeen()
    {
        Listen();
        Connect();
        (string Dump, double Lag) during = default;
        ServerHandler.Closed = (_, _) =>
        {
            Server.Spend(TimeSpan.FromSeconds(3));
            during = (Server.Reactor.Dump(), Meter.Value("selectreactor.loop.lag"));
        };
        Server.Reactor.Dispose();

        Assert.That(during.Dump, Does.StartWith("Reactor: closing, "));
        Assert.That(during.Lag, Is.EqualTo(3).Within(0.01));
        Assert.That(Meter.Value("selectreactor.loop.lag"), Is.Zero);
    }

    [Test]
    public void AfterTheEnd_ItSaysSo()
    {
        Server.Reactor.Dispose();

        Assert.That(Server.Reactor.Dump(), Does.StartWith("Reactor: disposed, 0 connections\n"));
    }

    [Test]
    public void WrongArguments_Throw()
    {
        Assert.That(
            () => Server.Reactor.Dump(-1, TimeSpan.Zero), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => Server.Reactor.Dump(1, Timeout.InfiniteTimeSpan), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private sealed class Blocker(ManualResetEventSlim begun, ManualResetEventSlim released) : ConnectionHandler
    {
        public override void OnReadable(Connection connection)
        {
            begun.Set();
#pragma warning disable SR0002 // The callback blocks on purpose.
            released.Wait();
#pragma warning restore SR0002
        }
    }
}
