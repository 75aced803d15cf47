using System.Buffers;
using CsCheck;
using KeyValueServer;
using Microsoft.Extensions.Time.Testing;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>The key-value server's commands with arguments of all kinds, in any number and order.</summary>
public sealed class CommandFuzzTests
{
    private static readonly string[] _setOptions = ["NX", "xx", "EX", "px", "Px", "ex", "what", ""];

    [Test]
    public void Command_WithAnyArguments_HasExactlyOneReply() =>
        Fuzz.Run(RespGen.Command.Array[1, 20], 1000, static script =>
        {
            Commands commands = SessionRun.FrozenCommands();
            foreach (byte[][] command in (byte[][][])[.. script, [RespGen.Bytes("INFO")]])
            {
                var output = new ArrayBufferWriter<byte>();
                var reply = new RespWriter(output);
                Execute(commands, command, ref reply);
                reply.Flush();
                int replies = ReplyReader.Count(output.WrittenSpan);
                Fuzz.Require(replies == 1 || (replies == 0 && reply.IsLast), $"{replies} replies to {Print(command)}");
            }
        }, static script => string.Join("; ", script.Select(Print)));

    [Test]
    public void TimeToLive_IsWhatWasGiven_OnTheBordersToo() =>
        Fuzz.Run(
            Gen.Select(Gen.OneOf(RespGen.Numbers), Gen.OneOf(0, 1, 499, 500, 1200), Gen.OneOf("EX", "PX", "EXPIRE")),
            10_000,
            static value =>
            {
                (string number, int now, string kind) = value;
                var time = new FakeTimeProvider();
                var commands = new Commands(new KeyValueStore(time), static () => 1);
                time.Advance(TimeSpan.FromMilliseconds(now));
                Answer(commands, "SET", "k", "v");
                string reply = kind == "EXPIRE"
                    ? Answer(commands, "EXPIRE", "k", number)
                    : Answer(commands, "SET", "k", "v", kind, number);

                bool isNumber = RespReference.IsInteger(RespGen.Bytes(number), out long given);
                Int128 milliseconds = (Int128)given * (kind == "PX" ? 1 : 1000);
                bool isAccepted = reply is "+OK\r\n" or ":1\r\n";
                Fuzz.RequireEqual(isAccepted, isNumber && IsLifetime(kind, milliseconds, now), "is accepted");
                string left = milliseconds <= 0 ? ":-2\r\n" : $":{(milliseconds + 500) / 1000}\r\n";
                string expected = isAccepted ? left : ":-1\r\n";
                Fuzz.RequireEqual(Answer(commands, "TTL", "k"), expected, "the time to live");
            });

    [Test]
    public void SetOptions_AreTakenAsTheirGrammarSays() =>
        Fuzz.Run(
            Gen.Select(
                Gen.Frequency((3, Gen.OneOf(_setOptions)), (1, Gen.OneOf(RespGen.Numbers))).Array[0, 5],
                Gen.Bool),
            10_000,
            static value =>
            {
                (string[] options, bool exists) = value;
                Commands commands = SessionRun.FrozenCommands();
                if (exists)
                {
                    Answer(commands, "SET", "k", "before");
                }

                string reply = Answer(commands, ["SET", "k", "after", .. options]);
                Fuzz.RequireEqual(reply, ExpectedOfSet(options, exists), "the reply");
                string expected = reply == "+OK\r\n" ? "$5\r\nafter\r\n" : exists ? "$6\r\nbefore\r\n" : "$-1\r\n";
                Fuzz.RequireEqual(Answer(commands, "GET", "k"), expected, "the value");
            }, static value => $"{string.Join(' ', value.Item1)} {value.Item2}");

    /// <summary>Executes a command whose words lie anywhere.</summary>
    internal static void Execute(Commands commands, byte[][] words, ref RespWriter reply)
    {
        var arguments = new Argument[words.Length];
        int at = 0;
        for (int i = 0; i < words.Length; i++)
        {
            arguments[i] = new Argument(at, words[i].Length);
            at += words[i].Length;
        }

        commands.Execute(new Request(words.SelectMany(static word => word).ToArray(), arguments), ref reply);
    }

    private static string Answer(Commands commands, params string[] words)
    {
        var output = new ArrayBufferWriter<byte>();
        var reply = new RespWriter(output);
        Execute(commands, [.. words.Select(RespGen.Bytes)], ref reply);
        reply.Flush();
        return System.Text.Encoding.Latin1.GetString(output.WrittenSpan);
    }

    private static bool IsLifetime(string kind, Int128 milliseconds, int now) =>
        (milliseconds > 0 || kind == "EXPIRE")
        && milliseconds >= long.MinValue && milliseconds <= long.MaxValue && milliseconds + now <= long.MaxValue;

    // Written from the documentation of Redis: SET key value [NX | XX] [EX seconds | PX milliseconds].
    private static string ExpectedOfSet(string[] options, bool exists)
    {
        var rest = new Queue<string>(options.Select(static option => option.ToUpperInvariant()));
        string? presence = null;
        string? unit = null;
        string lifetime = string.Empty;
        while (rest.TryDequeue(out string? option))
        {
            if (option is "NX" or "XX" && (presence ?? option) == option)
            {
                presence = option;
            }
            else if (option is "EX" or "PX" && unit is null && rest.TryDequeue(out string? next))
            {
                (unit, lifetime) = (option, next);
            }
            else
            {
                return "-ERR syntax error\r\n";
            }
        }

        bool isInteger = RespReference.IsInteger(RespGen.Bytes(lifetime), out long value);
        if (unit is not null && !isInteger)
        {
            return "-ERR value is not an integer or out of range\r\n";
        }

        return unit is not null && (value <= 0 || (unit == "EX" && value > long.MaxValue / 1000))
            ? "-ERR invalid expire time in 'set' command\r\n"
            : presence is null || (presence == "XX") == exists ? "+OK\r\n" : "$-1\r\n";
    }

    private static string Print(byte[][] command) => string.Join(' ', command.Select(static word => Fuzz.Show(word)));
}
