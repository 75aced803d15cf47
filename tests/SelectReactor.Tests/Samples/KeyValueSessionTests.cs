using System.Net.Sockets;
using System.Text;
using KeyValueServer;
using Microsoft.Extensions.Time.Testing;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

/// <summary>The key-value server on a reactor, with real clients.</summary>
public sealed class KeyValueSessionTests(SelectorKind selector) : ReactorFixture(selector)
{
    private Listener _listener = null!;

    [SetUp]
    public void StartServer() => _listener = Server.Listen(Reactor, AnyPort);

    [TearDown]
    public void StopServer() => _listener.Dispose();

    [Test]
    public void Client_ThatEndsItsStream_StillGetsAllItsReplies()
    {
        using Peer peer = Connect(Reactor, _listener);
        peer.Send(Repeat("*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n", 5000));
        peer.EndOutput();

        Assert.That(ReceiveToEnd(peer), Is.EqualTo(Repeat("$3\r\nabc\r\n", 5000)));
    }

    [Test]
    public void Client_ThatBreaksTheProtocol_ReadsWhyAndIsClosed_AndOthersAreServed()
    {
        using Peer bad = Connect(Reactor, _listener);
        using Peer good = Connect(Reactor, _listener);
        bad.Send("PING\r\n*1\r\n!\r\n"u8);
        Assert.That(
            ReceiveToEnd(bad), Is.EqualTo("+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n"u8.ToArray()));

        good.Send("PING\r\nQUIT\r\n"u8);
        Assert.That(ReceiveToEnd(good), Is.EqualTo("+PONG\r\n+OK\r\n"u8.ToArray()));
    }

    [Test]
    public void Value_LargerThanAllSegments_ComesBackWhole(
        [Values(1, 4096, 65536, 1_000_003, RespParser.MaxBulkLength)] int length)
    {
        byte[] value = new byte[length];
        new Random(length).NextBytes(value);
        using Peer peer = Connect(Reactor, _listener);
        byte[] script = [.. Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${length}\r\n"), .. value,
            .. "\r\nGET k\r\nQUIT\r\n"u8];
        byte[] expected = [.. Encoding.ASCII.GetBytes($"+OK\r\n${length}\r\n"), .. value, .. "\r\n+OK\r\n"u8];

        byte[] replies = Exchange(peer, script);
        Assert.That(replies.AsSpan().SequenceEqual(expected), Is.True);
    }

    [Test]
    public void Command_OfManyArguments_IsExecutedWhole()
    {
        const int Pairs = 50_000;
        var script = new StringBuilder($"*{1 + (2 * Pairs)}\r\n$4\r\nMSET\r\n");
        for (int i = 0; i < Pairs; i++)
        {
            script.Append(null, $"$6\r\nk{i:D5}\r\n$6\r\nv{i:D5}\r\n");
        }

        using Peer peer = Connect(Reactor, _listener);
        byte[] replies = Exchange(
            peer, Encoding.ASCII.GetBytes($"{script}DBSIZE\r\nGET k00000\r\nGET k49999\r\nQUIT\r\n"));
        Assert.That(
            Encoding.ASCII.GetString(replies),
            Is.EqualTo("+OK\r\n:50000\r\n$6\r\nv00000\r\n$6\r\nv49999\r\n+OK\r\n"));
    }

    [Test]
    public void Command_ThatExceedsTheInput_ClosesTheConnection()
    {
        using Peer peer = Connect(Reactor, _listener);
        Connection connection = Reactor.Connections.Single();
        byte[] bulk = [.. Encoding.ASCII.GetBytes($"${RespParser.MaxBulkLength}\r\n"),
            .. new byte[RespParser.MaxBulkLength], 13, 10];

        byte[] replies = Exchange(peer, [.. "*3\r\n"u8, .. bulk, .. bulk, .. bulk]);
        Assert.That(replies, Is.Empty);
        Assert.That(RunUntil(connection.Completion).Kind, Is.EqualTo(CloseKind.LimitExceeded));
    }

    [Test]
    public void Client_ThatPipelinesAndNeverReads_IsHeldBack_AndServedWhenItReads()
    {
        const int Count = 20_000;
        using Peer peer = Connect(Reactor, _listener);
        Connection connection = Reactor.Connections.Single();
        string value = new('v', 1000);
        peer.Send(Encoding.ASCII.GetBytes($"SET k {value}\r\n"));
        RunUntil(() => peer.Socket.Available > 0);
        Assert.That(peer.Receive(5), Is.EqualTo("+OK\r\n"u8.ToArray()));

        byte[] script = [.. Repeat("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", Count), .. "QUIT\r\n"u8];
        peer.Socket.Blocking = false;
        int sent = 0;
        long mostQueued = 0;
        for (int idle = 0; idle < 20;)
        {
            sent += SendSome(peer, script.AsSpan(sent));
            idle = Reactor.RunOnce(TimeSpan.FromMilliseconds(1)) == 0 ? idle + 1 : 0;
            mostQueued = Math.Max(mostQueued, connection.QueuedOutputBytes);
        }

        Assert.That(mostQueued, Is.InRange(1, 128 * 1024));
        using Peer other = Connect(Reactor, _listener);
        other.Send("PING\r\nQUIT\r\n"u8);
        Assert.That(ReceiveToEnd(other), Is.EqualTo("+PONG\r\n+OK\r\n"u8.ToArray()));

        byte[] replies = Exchange(peer, script[sent..]);
        Assert.That(
            replies.AsSpan().SequenceEqual([.. Repeat($"$1000\r\n{value}\r\n", Count), .. "+OK\r\n"u8]), Is.True);
    }

    [Test]
    public void Keys_ThatExpire_AreSweptByTheReactorsClock()
    {
        var time = new FakeTimeProvider();
        using var reactor = new Reactor(Options(time));
        using Peer peer = Connect(reactor, Server.Listen(reactor, AnyPort));
        peer.Send("SET a 1 EX 1\r\nSET b 1\r\n"u8);
        RunUntil(reactor, () => peer.Socket.Available == 10);
        peer.Receive(10);

        time.Advance(TimeSpan.FromSeconds(2));
        reactor.RunOnce(TimeSpan.Zero);
        peer.Send("DBSIZE\r\n"u8);
        RunUntil(reactor, () => peer.Socket.Available == 4);
        Assert.That(peer.Receive(4), Is.EqualTo(":1\r\n"u8.ToArray()));
    }

    private static Peer Connect(Reactor reactor, Listener listener)
    {
        int before = listener.ConnectionCount;
        var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => listener.ConnectionCount > before);
        return peer;
    }

    private static byte[] Repeat(string text, int count)
    {
        byte[] one = Encoding.ASCII.GetBytes(text);
        byte[] all = new byte[one.Length * count];
        for (int i = 0; i < count; i++)
        {
            one.CopyTo(all, i * one.Length);
        }

        return all;
    }

    private static int SendSome(Peer peer, ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? 0 : peer.Socket.Send(bytes, SocketFlags.None, out _);

    private byte[] ReceiveToEnd(Peer peer) => Exchange(peer, []);

    // Sends and receives until the server ends the stream, all on this thread.
    private byte[] Exchange(Peer peer, byte[] script)
    {
        peer.Socket.Blocking = false;
        using var received = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        int sent = 0;
        RunUntil(() =>
        {
            sent += SendSome(peer, script.AsSpan(sent));
            SocketError error;
            for (int count; (count = peer.Socket.Receive(buffer, SocketFlags.None, out error)) > 0;)
            {
                received.Write(buffer, 0, count);
            }

            return error != SocketError.WouldBlock;
        });
        return received.ToArray();
    }
}
