using System.Buffers.Binary;
using System.Text;

namespace KeyValueServer;

/// <summary>
/// What the server can do: the table of the commands, and the way to one of them. Answers are those of Redis, word for
/// word. The commands themselves are in the other parts of this class.
/// </summary>
internal sealed partial class Commands
{
    private const int LongestName = sizeof(ulong);
    private const int LongestQuote = 128;
    private readonly KeyValueStore _store;
    private readonly Func<int> _countClients;
    private readonly Dictionary<ulong, Command> _table;
    private long _processed;

    public Commands(KeyValueStore store, Func<int> countClients)
    {
        _store = store;
        _countClients = countClients;
        _table = Table().ToDictionary(command => Pack(Encoding.ASCII.GetBytes(command.Name)));
    }

    private delegate void Body(scoped Request request, ref RespWriter reply);

    /// <summary>Executes one command and writes its one reply.</summary>
    public void Execute(scoped Request request, ref RespWriter reply)
    {
        _processed++;
        if (!_table.TryGetValue(Pack(request[0]), out Command? command))
        {
            ReplyUnknown(request, ref reply);
        }
        else if (!command.Accepts(request.Count))
        {
            ReplyWrongCount(command.Name, ref reply);
        }
        else
        {
            command.Body(request, ref reply);
        }
    }

    private Command[] Table() =>
    [
        new("ping", -1, Ping),
        new("echo", 2, Echo),
        new("quit", -1, Quit),
        new("select", 2, Select),
        new("command", -1, Describe),
        new("config", -2, Configure),
        new("info", -1, Inform),
        new("dbsize", 1, CountKeys),
        new("flushdb", -1, Flush),
        new("get", 2, Get) { Keys = new(1, 1, 1) },
        new("set", -3, Set) { Keys = new(1, 1, 1) },
        new("incr", 2, Increment) { Keys = new(1, 1, 1) },
        new("mget", -2, GetMany) { Keys = new(1, -1, 1) },
        new("mset", -3, SetMany) { Keys = new(1, -1, 2) },
        new("del", -2, Delete) { Keys = new(1, -1, 1) },
        new("exists", -2, Exists) { Keys = new(1, -1, 1) },
        new("expire", -3, Expire) { Keys = new(1, 1, 1) },
        new("ttl", 2, TimeToLive) { Keys = new(1, 1, 1) },
        new("lpush", -3, PushLeft) { Keys = new(1, 1, 1) },
        new("rpush", -3, PushRight) { Keys = new(1, 1, 1) },
        new("lpop", -2, PopLeft) { Keys = new(1, 1, 1) },
        new("rpop", -2, PopRight) { Keys = new(1, 1, 1) },
        new("lrange", 4, Range) { Keys = new(1, 1, 1) },
    ];

    // The name in small letters as one number. Setting this bit makes a letter small, and makes a letter of nothing
    // else.
    private static ulong Pack(ReadOnlySpan<byte> name)
    {
        if (name.Length > LongestName)
        {
            return 0;
        }

        Span<byte> padded = stackalloc byte[LongestName];
        padded.Clear();
        name.CopyTo(padded);
        return BinaryPrimitives.ReadUInt64LittleEndian(padded) | 0x2020_2020_2020_2020;
    }

    private static bool IsWord(scoped ReadOnlySpan<byte> argument, ReadOnlySpan<byte> word) =>
        Ascii.EqualsIgnoreCase(argument, word);

    private static void ReplyUnknown(scoped Request request, ref RespWriter reply)
    {
        // A browser that was lured into talking to this port (cross-protocol scripting) begins like this.
        if (IsWord(request[0], "post"u8) || IsWord(request[0], "host:"u8))
        {
            reply.IsLast = true;
            return;
        }

        var arguments = new StringBuilder();
        for (int i = 1; i < request.Count && arguments.Length < LongestQuote; i++)
        {
            string argument = Quote(request[i], LongestQuote - arguments.Length);
            arguments.Append('\'').Append(argument).Append("' ");
        }

        reply.Error($"ERR unknown command '{Quote(request[0], LongestQuote)}', with args beginning with: {arguments}");
    }

    private static void ReplyWrongCount(string name, ref RespWriter reply) =>
        reply.Error($"ERR wrong number of arguments for '{name}' command");

    private static void ReplyUnknownSubcommand(
        string command, scoped ReadOnlySpan<byte> subcommand, ref RespWriter reply) =>
        reply.Error($"ERR unknown subcommand '{Quote(subcommand, LongestQuote)}'. Try {command} HELP.");

    private static void ReplyNotInteger(ref RespWriter reply) =>
        reply.Error("ERR value is not an integer or out of range"u8);

    private static void ReplySyntax(ref RespWriter reply) => reply.Error("ERR syntax error"u8);

    private static void ReplyWrongType(ref RespWriter reply) =>
        reply.Error("WRONGTYPE Operation against a key holding the wrong kind of value"u8);

    private static string Quote(scoped ReadOnlySpan<byte> text, int most)
    {
        text = text.IndexOf((byte)0) is >= 0 and int end ? text[..end] : text;
        return Encoding.Latin1.GetString(text[..Math.Min(text.Length, most)]);
    }

    /// <summary>Finds the value of a key, or null when there is none.</summary>
    /// <returns>False when it is of another kind, which is answered then.</returns>
    private bool TryFind<T>(scoped ReadOnlySpan<byte> key, ref RespWriter reply, out T? entry)
        where T : Entry
    {
        Entry? found = _store.Find(key);
        entry = found as T;
        if (found is null || entry is not null)
        {
            return true;
        }

        ReplyWrongType(ref reply);
        return false;
    }

    /// <param name="Name">In small letters, eight at most.</param>
    /// <param name="Arity">How many arguments it takes, with its name; when negative, how many at least.</param>
    /// <param name="Body">Executes it.</param>
    private sealed record Command(string Name, int Arity, Body Body)
    {
        public KeyPositions Keys { get; init; }

        public bool Accepts(int count) => Arity < 0 ? count >= -Arity : count == Arity;
    }

    /// <summary>Which arguments are keys, for clients that have to know.</summary>
    private readonly record struct KeyPositions(int First, int Last, int Step);
}
