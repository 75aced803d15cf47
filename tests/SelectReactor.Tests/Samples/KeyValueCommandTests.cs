using System.Text;
using KeyValueServer;
using Microsoft.Extensions.Time.Testing;

namespace SelectReactor.Tests.Samples;

/// <summary>Every command as it goes over the wire, in the words of Redis 7.0. In the table <c>~</c> is a line
/// end.</summary>
public sealed class KeyValueCommandTests
{
    private const string WrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value~";
    private const string NotInteger = "-ERR value is not an integer or out of range~";
    private const string Syntax = "-ERR syntax error~";

    [TestCase("PING", "+PONG~")]
    [TestCase("ping hello", "$5~hello~")]
    [TestCase("PING a b", "-ERR wrong number of arguments for 'ping' command~")]
    [TestCase("ECHO 'a b'", "$3~a b~")]
    [TestCase("ECHO", "-ERR wrong number of arguments for 'echo' command~")]
    [TestCase("SELECT 0~SELECT 1~SELECT x", "+OK~-ERR DB index is out of range~" + NotInteger)]
    [TestCase("GET k~SET k v~GET k~get k", "$-1~+OK~$1~v~$1~v~")]
    [TestCase(
        "GET~get a b",
        "-ERR wrong number of arguments for 'get' command~-ERR wrong number of arguments for 'get' command~")]
    [TestCase("SET k abc~SET k xyz~GET k~SET k ''~GET k", "+OK~+OK~$3~xyz~+OK~$0~~")]
    [TestCase("SET k v XX~SET k v NX~SET k w NX~SET k x XX~GET k", "$-1~+OK~$-1~+OK~$1~x~")]
    [TestCase("SET k v EX~SET k v NX XX~SET k v EX 1 PX 1~SET k v WHAT", Syntax + Syntax + Syntax + Syntax)]
    [TestCase("SET k v EX x~SET k v PX 1.5", NotInteger + NotInteger)]
    [TestCase(
        "SET k v EX 0~SET k v PX -1",
        "-ERR invalid expire time in 'set' command~-ERR invalid expire time in 'set' command~")]
    [TestCase("SET k v EX 9223372036854775807~GET k", "-ERR invalid expire time in 'set' command~$-1~")]
    [TestCase("SET k v ex 100~TTL k~SET k v~TTL k~TTL none", "+OK~:100~+OK~:-1~:-2~")]
    [TestCase("SET k v px 1500 nx~TTL k", "+OK~:2~")]
    [TestCase("EXPIRE k 10~SET k v~EXPIRE k 10~TTL k~EXPIRE k -1~EXISTS k", ":0~+OK~:1~:10~:1~:0~")]
    [TestCase("EXPIRE k x~EXPIRE k", NotInteger + "-ERR wrong number of arguments for 'expire' command~")]
    [TestCase("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command~")]
    [TestCase("EXPIRE k 10 WHAT", "-ERR Unsupported option WHAT~")]
    [TestCase("SET k 1~DEL k none k~DEL k", "+OK~:1~:0~")]
    [TestCase("SET k 1~EXISTS k k none", "+OK~:2~")]
    [TestCase("INCR n~INCR n~GET n", ":1~:2~$1~2~")]
    [TestCase("SET n 9~INCR n~INCR n~SET n -1~INCR n~GET n", "+OK~:10~:11~+OK~:0~$1~0~")]
    [TestCase(
        "SET n 9223372036854775807~INCR n~GET n",
        "+OK~-ERR increment or decrement would overflow~$19~9223372036854775807~")]
    [TestCase("SET n x~INCR n~SET n 01~INCR n", "+OK~" + NotInteger + "+OK~" + NotInteger)]
    [TestCase("SET n 1 EX 10~INCR n~TTL n", "+OK~:2~:10~")]
    [TestCase("MSET a 1 b 2 a 3~MGET a b c", "+OK~*3~$1~3~$1~2~$-1~")]
    [TestCase(
        "MSET a 1 b~MSET a",
        "-ERR wrong number of arguments for 'mset' command~-ERR wrong number of arguments for 'mset' command~")]
    [TestCase("LPUSH l a b~RPUSH l c d~LRANGE l 0 -1", ":2~:4~*4~$1~b~$1~a~$1~c~$1~d~")]
    [TestCase("RPUSH l a b c~LRANGE l 1 1~LRANGE l -2 -1", ":3~*1~$1~b~*2~$1~b~$1~c~")]
    [TestCase("RPUSH l a b~LRANGE l -9 9~LRANGE l 1 0~LRANGE l 2 3~LRANGE l 0 -9", ":2~*2~$1~a~$1~b~*0~*0~*0~")]
    [TestCase("RPUSH l a~LRANGE l 9223372036854775807 -9223372036854775808", ":1~*0~")]
    [TestCase("RPUSH l a~LRANGE l -9223372036854775808 9223372036854775807", ":1~*1~$1~a~")]
    [TestCase("LRANGE l 0 -1~LRANGE l x 0", "*0~" + NotInteger)]
    [TestCase("RPUSH l a b c~LPOP l~RPOP l~LPOP l~LPOP l~EXISTS l", ":3~$1~a~$1~c~$1~b~$-1~:0~")]
    [TestCase("RPUSH l a b c~LPOP l 2~LPOP l 0~RPOP l 9~RPOP l 1", ":3~*2~$1~a~$1~b~*0~*1~$1~c~*-1~")]
    [TestCase(
        "LPOP l x~LPOP l -1",
        "-ERR value is out of range, must be positive~-ERR value is out of range, must be positive~")]
    [TestCase(
        "LPOP l 1 2~RPOP",
        "-ERR wrong number of arguments for 'lpop' command~-ERR wrong number of arguments for 'rpop' command~")]
    [TestCase("RPUSH l a~GET l~INCR l~MGET l", ":1~" + WrongType + WrongType + "*1~$-1~")]
    [TestCase(
        "SET s a~LPUSH s b~RPUSH s b~LPOP s~LRANGE s 0 1", "+OK~" + WrongType + WrongType + WrongType + WrongType)]
    [TestCase("RPUSH k a~EXPIRE k 10~SET k v~GET k~TTL k", ":1~:1~+OK~$1~v~:-1~")]
    [TestCase("MSET a 1 b 2~DBSIZE~FLUSHDB~DBSIZE~FLUSHDB async", "+OK~:2~+OK~:0~+OK~")]
    [TestCase("FLUSHDB now", Syntax)]
    [TestCase("CONFIG GET save", "*2~$4~save~$0~~")]
    [TestCase("CONFIG GET appendonly none", "*2~$10~appendonly~$2~no~")]
    [TestCase(
        "CONFIG~CONFIG GET",
        "-ERR wrong number of arguments for 'config' command~"
        + "-ERR wrong number of arguments for 'config|get' command~")]
    [TestCase("CONFIG SET", "-ERR unknown subcommand 'SET'. Try CONFIG HELP.~")]
    [TestCase("COMMAND COUNT~COMMAND DOCS~COMMAND X", ":23~*0~-ERR unknown subcommand 'X'. Try COMMAND HELP.~")]
    [TestCase("INFO keyspace~SET k v EX 9~INFO keyspace", "$12~# Keyspace~~+OK~$34~# Keyspace~db0:keys=1,expires=1~~")]
    [TestCase("FOO", "-ERR unknown command 'FOO', with args beginning with: ~")]
    [TestCase(
        "foobarfoobar \"a\\r\\nb\" c", "-ERR unknown command 'foobarfoobar', with args beginning with: 'a  b' 'c' ~")]
    [TestCase("*1~$0~~", "-ERR unknown command '', with args beginning with: ~")]
    public void Commands_AreAnsweredAsByRedis(string commands, string replies)
    {
        var client = new KeyValueClient();
        client.Receive(Wire(commands + "~"));
        Assert.That(client.Replies, Is.EqualTo(Encoding.Latin1.GetString(Wire(replies))));
        Assert.That(client.IsClosed, Is.False);
    }

    [TestCase("QUIT~PING", "+OK~")]
    [TestCase("PING~*x~PING", "+PONG~-ERR Protocol error: invalid multibulk length~")]
    [TestCase("*1~$9999999999~PING", "-ERR Protocol error: invalid bulk length~")]
    [TestCase("*1~PING", "-ERR Protocol error: expected '$', got 'P'~")]
    [TestCase("*1~~", "-ERR Protocol error: expected '$', got ' '~")]
    [TestCase("*1000~$4~PING~x", "-ERR Protocol error: expected '$', got 'x'~")]
    [TestCase("GET \"x", "-ERR Protocol error: unbalanced quotes in request~")]
    [TestCase("POST / HTTP/1.1~PING", "")]
    [TestCase("Host: x~PING", "")]
    public void Commands_AfterWhichNothingIsServed_CloseTheConnection(string commands, string replies)
    {
        var client = new KeyValueClient();
        client.Receive(Wire(commands + "~"));
        Assert.That(client.Replies, Is.EqualTo(Encoding.Latin1.GetString(Wire(replies))));
        Assert.That(client.IsClosed, Is.True);
    }

    [Test]
    public void Command_WithBinaryKeysAndValues_KeepsEveryByte()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        string text = Encoding.Latin1.GetString(all);
        var client = new KeyValueClient();
        client.Receive(Encoding.Latin1.GetBytes(
            $"*3\r\n$3\r\nSET\r\n$256\r\n{text}\r\n$256\r\n{text}\r\n*2\r\n$3\r\nGET\r\n$256\r\n{text}\r\n"));
        Assert.That(client.Replies, Is.EqualTo($"+OK\r\n$256\r\n{text}\r\n"));
    }

    [Test]
    public void Unknown_Command_QuotesNoMoreThanRedisDoes()
    {
        var client = new KeyValueClient();
        client.Receive(
            Encoding.ASCII.GetBytes($"{new string('c', 200)} {new string('a', 100)} {new string('b', 100)} d\r\n"));
        Assert.That(client.Replies, Is.EqualTo(
            $"-ERR unknown command '{new string('c', 128)}', with args beginning with: "
            + $"'{new string('a', 100)}' '{new string('b', 25)}' \r\n"));
    }

    [Test]
    public void Key_WithATimeToLive_IsGoneAfterIt()
    {
        var time = new FakeTimeProvider();
        var client = new KeyValueClient(new Commands(new KeyValueStore(time), () => 1));
        client.Receive(Wire("SET k v EX 2~INCR n~EXPIRE n 1~"));
        time.Advance(TimeSpan.FromMilliseconds(1500));
        client.Receive(Wire("TTL k~EXISTS k n~SET k w NX~INCR n~"));
        time.Advance(TimeSpan.FromMilliseconds(500));
        client.Receive(Wire("TTL k~SET k w NX~TTL k~DBSIZE~"));

        Assert.That(
            client.Replies.Replace("\r\n", "~", StringComparison.Ordinal),
            Is.EqualTo("+OK~:1~:1~:1~:1~$-1~:1~:-2~+OK~:-1~:2~"));
    }

    [Test]
    public void TimeToLive_OfTheLongestLife_IsNotNegative()
    {
        var client = new KeyValueClient(new Commands(new KeyValueStore(new FakeTimeProvider()), () => 1));
        client.Receive(Wire("SET k v PX 9223372036854775807~TTL k~"));

        Assert.That(client.Replies, Is.EqualTo("+OK\r\n:9223372036854776\r\n"));
    }

    private static byte[] Wire(string text) =>
        Encoding.Latin1.GetBytes(text.Replace("~", "\r\n", StringComparison.Ordinal));
}
