using System.Text;
using CsCheck;
using KeyValueServer;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>
/// Input for the key-value server that gets past its first byte: commands in both forms, with lengths that lie, words
/// that are numbers on the border of something, and damage of all kinds.
/// </summary>
internal static class RespGen
{
    /// <summary>Numbers that are none, or that are where a type or a limit ends.</summary>
    public static readonly string[] Numbers =
    [
        "0", "1", "2", "-1", "-0", "00", "01", "+1", "", "-", " 1", "1 ", "1.0", "1e3", "0x10", "1\0", "\xb2",
        "1048576", "1048577", "16777215", "16777216", "16777217",
        "2147483647", "2147483648", "-2147483648", "4294967296",
        "9223372036854775806", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "-9223372036854775809", "9223372036854775", "9223372036854776",
        "99999999999999999999999999",
    ];

    // Without INFO, which tells of the process and so never answers twice the same.
    private static readonly string[] _words =
    [
        "PING", "ECHO", "QUIT", "SELECT", "COMMAND", "CONFIG", "DBSIZE", "FLUSHDB", "GET", "SET", "INCR", "MGET",
        "MSET", "DEL", "EXISTS", "EXPIRE", "TTL", "LPUSH", "RPUSH", "LPOP", "RPOP", "LRANGE", "get", "sEt",
        "COUNT", "DOCS", "NX", "XX", "EX", "px", "async", "save", "*", "a", "b", "k", "l", "foobarfoobar", "POST",
        "host:", "a\r\nb", "\0", "a\0b", "\xff", "'", "\"", "\\",
    ];

    private static readonly string[] _tokens =
    [
        "*", "$", "\r\n", "\r", "\n", "\n\r", "\0", " ", "\t", "\v",
        "'", "\"", "\\", "\\x", "\\x4", "\\x41", "\\'", "\\\"",
        "*1\r\n", "*2\r\n", "$4\r\n", "*1\r\n*1\r\n", "*-1\r\n", "*0\r\n", "$-1\r\n", ":1\r\n", "+OK\r\n", "\xff",
    ];

    private static readonly Gen<byte[]> _randomBytes = Gen.Byte.Array[0, 12];

    private static readonly Gen<string> _number =
        Gen.Frequency((3, Gen.OneOf(Numbers)), (1, Gen.Int[-3, 12].Select(Text)), (1, Gen.Long.Select(Text)));

    /// <summary>A command's name or an argument.</summary>
    public static Gen<byte[]> Word { get; } = Gen.Frequency(
        (6, Gen.OneOf(_words).Select(Bytes)),
        (3, _number.Select(Bytes)),
        (1, _randomBytes),
        (1, Gen.OneOf(127, 128, 129, 500, 5000).Select(static length => new byte[length])));

    /// <summary>A command whose name exists.</summary>
    public static Gen<byte[][]> Command { get; } = Gen.Select(
        Gen.OneOf(_words[..24]), Word.Array[0, 5], static (name, arguments) => (byte[][])[Bytes(name), .. arguments]);

    /// <summary>How many bytes come at a time, over and over; also how long the segments of a sequence are.</summary>
    public static Gen<int[]> Sizes { get; } = Gen.Frequency(
        (1, Gen.Const(new[] { 1 })),
        (3, Gen.Int[1, 12].Array[1, 6]),
        (2, Gen.Int[1, 300].Array[1, 6]),
        (1, Gen.Int[1, 9000].Array[1, 4]));

    /// <summary>Several commands, whole and broken.</summary>
    public static Gen<byte[]> Stream { get; } =
        Gen.Select(
            Gen.Frequency(
                (24, WholeArray()),
                (12, LyingArray()),
                (18, Line()),
                (12, Gen.OneOf(_tokens).Select(Bytes)),
                (3, _randomBytes),
                (1, LongLine()),
                (1, LongReply())).Array[1, 8],
            Damage().Array[0, 2],
            static (pieces, damages) => damages.Aggregate(pieces.SelectMany(static piece => piece).ToArray(), Apply));

    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>A command as an array of bulk strings.</summary>
    public static byte[] Array(params byte[][] words) =>
        [.. Bytes($"*{words.Length}\r\n"), .. words.SelectMany(static word => Bulk($"{word.Length}", word))];

    private static string Text<T>(T number) => $"{number}";

    private static byte[] Bulk(string length, byte[] word) => [.. Bytes($"${length}\r\n"), .. word, 13, 10];

    private static Gen<byte[]> WholeArray() =>
        Gen.Frequency((3, Command), (1, Word.Array[0, 4])).Select(static words => Array(words));

    // Counts and lengths that have nothing to do with what follows them.
    private static Gen<byte[]> LyingArray() => Gen.Select(
        _number,
        Gen.Select(Gen.Int[0, 3], _number, Word, static (kind, number, word) =>
            Bulk(kind == 0 ? number : $"{word.Length}", word)).Array[0, 4],
        static (count, bulks) => (byte[])[.. Bytes($"*{count}\r\n"), .. bulks.SelectMany(static bulk => bulk)]);

    private static Gen<byte[]> Line() => Gen.Select(
        Gen.Frequency(
            (4, Word),
            (1, Gen.OneOf(_tokens).Array[0, 6].Select(static tokens => Bytes(string.Concat(tokens))))).Array[0, 5],
        Gen.OneOf("\"", "'", "", "", ""),
        Gen.OneOf(" ", "  ", "\t", "\v ", ""),
        Gen.OneOf("\r\n", "\n", "\r", "\0\n"),
        static (words, quote, space, end) => (byte[])
            [.. words.SelectMany(word => (byte[])[.. Bytes(quote), .. word, .. Bytes(quote + space)]), .. Bytes(end)]);

    // Around the longest that a line, and each of the two kinds of header, may be.
    private static Gen<byte[]> LongLine() => Gen.Select(
        Gen.OneOf("", "*", "*1\r\n$", "*1\r\n", "PING ", "ECHO \"", "\\"),
        Gen.OneOf('1', 'a', '\\', '"', '0', '\0'),
        Gen.OneOf("\r\n", "\n", "\r", "\"\r\n", "", "\rx"),
        Gen.OneOf(RespParser.MaxLineLength, 4096),
        Gen.Int[-3, 3],
        static (begin, fill, end, longest, over) =>
            Bytes(begin + new string(fill, longest + over - (begin.Length - begin.LastIndexOf('\n') - 1)) + end));

    // So much to answer that the client's next command has to wait.
    private static Gen<byte[]> LongReply() => Gen.Select(
        Gen.Int[1, 40], Gen.OneOf(1, 4000, 20_000, 70_000),
        static (times, length) => Enumerable
            .Repeat(Array(Bytes("ECHO"), new byte[length]), Math.Min(times, 200_000 / length))
            .SelectMany(static command => command)
            .ToArray());

    private static Gen<(int Kind, int At, int Length, byte Value)> Damage() =>
        Gen.Select(Gen.Int[0, 7], Gen.Int[0, 400], Gen.Int[1, 20], Gen.Byte);

    private static byte[] Apply(byte[] bytes, (int Kind, int At, int Length, byte Value) damage)
    {
        if (bytes.Length == 0)
        {
            return bytes;
        }

        int at = damage.At % bytes.Length;
        int end = Math.Min(at + damage.Length, bytes.Length);
        int line = Math.Max(bytes.AsSpan(at).IndexOf((byte)'\r'), 0) + at;
        return damage.Kind switch
        {
            0 => [.. bytes[..at], damage.Value, .. bytes[(at + 1)..]],
            1 => [.. bytes[..at], damage.Value, .. bytes[at..]],
            2 => [.. bytes[..at], .. bytes[end..]],
            3 => [.. bytes[..end], .. bytes[at..]],
            4 => bytes[..at],
            5 => bytes[..^Math.Min(damage.Length, bytes.Length)],
            6 => [.. bytes[..line], .. bytes[(line + 1)..]],
            _ => [.. bytes[..line], 13, .. bytes[(line + 1)..]],
        };
    }
}
