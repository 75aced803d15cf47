using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using LineChat;
using SelectReactor.Testing;

namespace SelectReactor.Tests.Samples;

/// <summary>The chat between clients on a simulated network, where a minute of silence takes no time.</summary>
public sealed class LineChatTests
{
    private const string Welcome = "* Welcome, guest1. Commands: /nick NAME, /who, /me ACTION, /quit.";
    private readonly List<string> _log = [];
    private SimulatedNetwork _network = null!;
    private SimulatedHost _server = null!;

    [SetUp]
    public void Open()
    {
        _log.Clear();
        _network = new SimulatedNetwork(1, SimulatedNetworkOptions.Ideal);
        _server = Listen(_network, _log.Add);
    }

    [TearDown]
    public void Close() => _network.Dispose();

    [Test]
    public void NewClient_IsWelcomed_AndTheOthersAreTold()
    {
        ChatClient first = Join();
        Join();

        Assert.That(first.Take(), Is.EqualTo(new[] { Welcome, "* guest2 has joined." }));
    }

    [TestCase("hello", "<guest1> hello")]
    [TestCase("  hello, you ", "<guest1>   hello, you ")]
    [TestCase("grüße 👋", "<guest1> grüße 👋")]
    [TestCase("\u001b[2Jclean\a", "<guest1> [2Jclean")]
    [TestCase("/me waves", "* guest1 waves")]
    [TestCase("/me  waves  twice", "* guest1 waves  twice")]
    public void Line_ReachesTheOthersOnly(string line, string expected)
    {
        (ChatClient first, ChatClient second) = JoinTwo();

        first.Say(line);

        Assert.That((first.Take(), second.Take()), Is.EqualTo((Array.Empty<string>(), new[] { expected })));
    }

    [TestCase("")]
    [TestCase("   ")]
    public void EmptyLine_IsIgnored(string line)
    {
        (ChatClient first, ChatClient second) = JoinTwo();

        first.Say(line);

        Assert.That(first.Take().Concat(second.Take()), Is.Empty);
    }

    [Test]
    public void Name_CanBeChanged_AndIsListed()
    {
        (ChatClient first, ChatClient second) = JoinTwo();

        second.Say("/nick Bob");
        Assert.That(second.Take(), Is.EqualTo(new[] { "* You are Bob now." }));
        Assert.That(first.Take(), Is.EqualTo(new[] { "* guest2 is Bob now." }));

        first.Say("/who");
        Assert.That(first.Take(), Is.EqualTo(new[] { "* Here are: Bob, guest1." }));

        second.Say("/nick bob");
        Assert.That(second.Take(), Is.EqualTo(new[] { "* You are bob now." }));
    }

    [TestCase("/nick GUEST1", "* guest1 is taken.")]
    [TestCase("/nick", "* A name has 1 to 20 letters, digits, - or _.")]
    [TestCase("/nick a b", "* A name has 1 to 20 letters, digits, - or _.")]
    [TestCase("/nick aaaaaaaaaaaaaaaaaaaaa", "* A name has 1 to 20 letters, digits, - or _.")]
    [TestCase("/me", "* /me is no command. Commands: /nick NAME, /who, /me ACTION, /quit.")]
    [TestCase("/dance now", "* /dance is no command. Commands: /nick NAME, /who, /me ACTION, /quit.")]
    public void WrongCommand_IsAnswered_AndTheOthersDoNotSeeIt(string line, string answer)
    {
        (ChatClient first, ChatClient second) = JoinTwo();

        second.Say(line);

        Assert.That((first.Take(), second.Take()), Is.EqualTo((Array.Empty<string>(), new[] { answer })));
    }

    [Test]
    public void FreedName_CanBeTaken()
    {
        (ChatClient first, ChatClient second) = JoinTwo();
        second.Say("/nick bob");
        second.Say("/quit");
        first.Take();

        first.Say("/nick bob");

        Assert.That(first.Take(), Is.EqualTo(new[] { "* You are bob now." }));
        Assert.That(Join().Take()[0], Does.StartWith("* Welcome, guest3."));
    }

    [Test]
    public void GuestName_ThatSomebodyHas_IsLeftOut()
    {
        Join().Say("/nick guest2");

        Assert.That(Join().Take()[0], Does.StartWith("* Welcome, guest3."));
    }

    [TestCase("/quit", CloseKind.PeerClosed)]
    [TestCase("end", CloseKind.Local)]
    [TestCase("reset", CloseKind.Aborted)]
    public void ClientThatLeaves_IsSeenOff(string how, CloseKind expected)
    {
        (ChatClient first, ChatClient second) = JoinTwo();
        second.Leave(how);

        Assert.That(second.Take(), Is.EqualTo(how == "/quit" ? new[] { "* Goodbye." } : []));
        Assert.That(first.Take(), Is.EqualTo(new[] { "* guest2 has left." }));
        Assert.That(second.Reason?.Kind, Is.EqualTo(expected));
    }

    [Test]
    public void LastLine_MayLackItsEnd()
    {
        (ChatClient first, ChatClient second) = JoinTwo();

        second.Connection!.TryWrite("bye"u8);
        second.Leave("end");

        Assert.That(first.Take(), Is.EqualTo(new[] { "<guest2> bye", "* guest2 has left." }));
    }

    [Test]
    public void LineOfTheLimit_IsRead()
    {
        (ChatClient first, ChatClient second) = JoinTwo();

        first.Say(new string('x', ChatHandler.MaxLineBytes));

        Assert.That(second.Take(), Is.EqualTo(new[] { "<guest1> " + new string('x', ChatHandler.MaxLineBytes) }));
    }

    [Test]
    public void LineOverTheLimit_IsRefused([Values] bool isEnded)
    {
        (ChatClient first, ChatClient second) = JoinTwo();

        second.Say(new string('x', ChatHandler.MaxLineBytes + 1), isEnded ? "\n" : "");

        Assert.That(second.Take(), Is.EqualTo(new[] { "* Goodbye: A line may have 1024 bytes." }));
        Assert.That(second.Reason?.Kind, Is.EqualTo(CloseKind.PeerClosed), "closed in good order");
        Assert.That(first.Take(), Is.EqualTo(new[] { "* guest2 has left." }));
        Assert.That(_log[^1], Does.EndWith(" is gone: A line may have 1024 bytes."));
    }

    [Test]
    public void ClientThatDoesNotRead_IsCut_AndHoldsNobody()
    {
        (ChatClient first, ChatClient second) = JoinTwo();
        ChatClient third = Join();
        second.Connection!.PauseReading();
        first.Take();
        third.Take();

        const int LinesPerSecond = 20;
        string line = new string('x', ChatHandler.MaxLineBytes) + "\n";
        string lines = string.Concat(Enumerable.Repeat(line, LinesPerSecond));
        int said = 0;
        while (!_log[^1].Contains("reads too slowly", StringComparison.Ordinal))
        {
            Assert.That(said += LinesPerSecond, Is.LessThan(1000), "it is cut in the end");
            first.Say(lines, end: "");
        }

        Assert.That(first.Take(), Is.EqualTo(new[] { "* guest2 has left." }));
        string[] heard = third.Take();
        Assert.That(heard, Has.Exactly(said).StartsWith("<guest1> x"));
        Assert.That(
            said * ChatHandler.MaxLineBytes,
            Is.InRange(ChatHandler.MaxQueuedBytes, ChatHandler.MaxQueuedBytes + (256 * 1024)));
    }

    [Test]
    public void ClientThatTalksFast_IsSlowedDown()
    {
        (ChatClient first, ChatClient second) = JoinTwo();
        first.Connection!.TryWrite(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("x\n", 100))));

        _network.RunFor(TimeSpan.FromSeconds(1.01));
        Assert.That(second.Take(), Has.Length.EqualTo(21));

        _network.RunFor(TimeSpan.FromSeconds(10));
        Assert.That(second.Take(), Has.Length.EqualTo(79));
    }

    [Test]
    public void Shutdown_TellsEverybody_AndEndsAtOnce()
    {
        (ChatClient first, ChatClient second) = JoinTwo();

        Task shutdown = _server.Reactor.ShutdownAsync(TimeSpan.FromHours(1));
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.That(shutdown.IsCompleted);
        Assert.That(first.Take(), Does.Contain("* Goodbye: the server ends."));
        Assert.That(second.Take(), Does.Contain("* Goodbye: the server ends."));
        Assert.That(first.Reason?.Kind, Is.EqualTo(CloseKind.PeerClosed));
        Assert.That(second.Reason?.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    // On networks of all kinds, which also cut lines wherever they like.
    [Test]
    public void EveryLine_ArrivesWhole_AndInOrder() => SimulatedNetwork.Explore(100, static network =>
    {
        SimulatedHost server = Listen(network, static _ => { });
        SimulatedHost host = network.AddHost("client");
        ChatClient first = new(), second = new();
        host.Reactor.ConnectAsync(server.EndPoint(7008), first);
        network.RunUntil(() => first.Lines.Count == 1);
        host.Reactor.ConnectAsync(server.EndPoint(7008), second);
        network.RunUntil(() => first.Lines.Count == 2);

        string[] lines = [.. Enumerable.Range(0, 20).Select(static i => $"line {i}: grüße 👋")];
        second.Connection!.TryWrite(Encoding.UTF8.GetBytes(string.Join("\r\n", lines)));
        second.Connection.CloseOutput();

        network.RunUntil(() => first.Lines.Count == 23);
        Assert.That(
            first.Take()[2..],
            Is.EqualTo(lines.Select(static line => $"<guest2> {line}").Append("* guest2 has left.")));
    });

    private static SimulatedHost Listen(SimulatedNetwork network, Action<string> log)
    {
        SimulatedHost server = network.AddHost("server");
        server.Reactor.Listen(
            server.EndPoint(7008), new ChatHandler(new ChatRoom(server.Reactor), log), ChatHandler.Options);
        return server;
    }

    private (ChatClient First, ChatClient Second) JoinTwo()
    {
        ChatClient first = Join(), second = Join();
        first.Take();
        second.Take();
        return (first, second);
    }

    private ChatClient Join()
    {
        var client = new ChatClient { Network = _network };
        SimulatedHost host = _network.AddHost($"client{_network.Hosts.Count}");
        host.Reactor.ConnectAsync(_server.EndPoint(7008), client);
        _network.RunUntil(() => client.Lines.Count > 0);
        return client;
    }

    private sealed class ChatClient : ConnectionHandler
    {
        private readonly StringBuilder _text = new();

        public SimulatedNetwork? Network { get; init; }

        public Connection? Connection { get; private set; }

        public CloseReason? Reason { get; private set; }

        public List<string> Lines { get; } = [];

        public override void OnConnected(Connection connection) => Connection = connection;

        public override void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out ReadResult result))
            {
                _text.Append(Encoding.Latin1.GetString(result.Buffer));
                connection.Input.AdvanceTo(result.Buffer.End);
                string[] lines = _text.ToString().Split('\n');
                _text.Clear().Append(lines[^1]);
                Lines.AddRange(lines[..^1].Select(static line => Encoding.Latin1.GetBytes(line))
                    .Select(Encoding.UTF8.GetString));
            }
        }

        public override void OnClosed(Connection connection, CloseReason reason) => Reason = reason;

        public void Say(string line, string end = "\n")
        {
            Connection!.TryWrite(Encoding.UTF8.GetBytes(line + end));
            Network!.RunFor(TimeSpan.FromSeconds(1));
        }

        public void Leave(string how)
        {
            switch (how)
            {
                case "end":
                    Connection!.Close();
                    break;
                case "reset":
                    Connection!.Abort();
                    break;
                default:
                    Say(how);
                    break;
            }

            Network!.RunFor(TimeSpan.FromSeconds(1));
        }

        /// <summary>The lines that came since the last call.</summary>
        public string[] Take()
        {
            string[] lines = [.. Lines];
            Lines.Clear();
            return lines;
        }
    }
}
