using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using KeyValueServer;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>
/// The protocol once more, read from the whole input, slowly, and with copies of everything: what the parser must find
/// however the bytes arrive.
/// </summary>
internal sealed partial class RespReference
{
    private readonly byte[] _input;
    private int _at;

    private RespReference(byte[] input) => _input = input;

    /// <summary>The whole commands, those without words among them.</summary>
    public List<byte[][]> Commands { get; } = [];

    /// <summary>Where each of them ends.</summary>
    public List<int> Ends { get; } = [];

    /// <summary>What is wrong with the command after them; null when that is unfinished, or there is none.</summary>
    public string? Error { get; private set; }

    public static RespReference Read(byte[] input)
    {
        var reference = new RespReference(input);
        try
        {
            while (reference._at < input.Length)
            {
                byte[][] command = input[reference._at] == '*' ? reference.ReadArray() : reference.ReadLine();
                reference.Commands.Add(command);
                reference.Ends.Add(reference._at);
            }
        }
        catch (EndOfStreamException)
        {
            // The rest is still to come.
        }
        catch (FormatException exception)
        {
            reference.Error = exception.Message;
        }

        return reference;
    }

    public static bool IsInteger(byte[] text, out long value)
    {
        string digits = string.Concat(text.Select(static b => (char)b));
        bool isNumber = IntegerForm().IsMatch(digits);
        BigInteger number = isNumber ? BigInteger.Parse(digits, CultureInfo.InvariantCulture) : 0;
        isNumber &= number >= long.MinValue && number <= long.MaxValue;
        value = isNumber ? (long)number : 0;
        return isNumber;
    }

    /// <summary>The words of a line, as Redis splits it; null when its quotes are wrong.</summary>
    public static byte[][]? Split(byte[] line)
    {
        // A C string: its end is its first NUL.
        byte[] text = [.. line.TakeWhile(static b => b != 0), 0];
        var words = new List<byte[]>();
        int at = 0;
        while (true)
        {
            while (IsSpace(text[at]))
            {
                at++;
            }

            if (text[at] == 0)
            {
                return [.. words];
            }

            if (ReadWord(text, ref at) is not { } word)
            {
                return null;
            }

            words.Add(word);
        }
    }

    private static byte[]? ReadWord(byte[] text, ref int at)
    {
        var word = new List<byte>();
        for (; text[at] is not (0 or 9 or 10 or 13 or 32); at++)
        {
            if (text[at] is not ((byte)'"' or (byte)'\''))
            {
                word.Add(text[at]);
                continue;
            }

            byte quote = text[at++];
            while (text[at] != quote)
            {
                if (text[at] == 0)
                {
                    return null;
                }

                word.Add(quote == '"' ? Unescape(text, ref at) : Literal(text, ref at));
            }

            at++;
            return text[at] == 0 || IsSpace(text[at]) ? [.. word] : null;
        }

        return [.. word];
    }

    private static byte Literal(byte[] text, ref int at)
    {
        at += text[at] == '\\' && text[at + 1] == '\'' ? 1 : 0;
        return text[at++];
    }

    private static byte Unescape(byte[] text, ref int at)
    {
        if (text[at] != '\\' || text[at + 1] == 0)
        {
            return text[at++];
        }

        at += 2;
        char escaped = (char)text[at - 1];
        if (escaped == 'x' && char.IsAsciiHexDigit((char)text[at]) && char.IsAsciiHexDigit((char)text[at + 1]))
        {
            at += 2;
            return byte.Parse($"{(char)text[at - 2]}{(char)text[at - 1]}", NumberStyles.HexNumber, null);
        }

        int known = "nrtba".IndexOf(escaped, StringComparison.Ordinal);
        return (byte)(known < 0 ? escaped : "\n\r\t\b\a"[known]);
    }

    private static bool IsSpace(byte value) => value is 32 or (>= 9 and <= 13);

    private byte[][] ReadArray()
    {
        byte[] count = ReadHeader("mbulk count");
        if (!IsInteger(count[1..], out long bulks) || bulks > RespParser.MaxArguments)
        {
            throw new FormatException("invalid multibulk length");
        }

        var words = new List<byte[]>();
        for (; bulks > 0; bulks--)
        {
            byte first = _at < _input.Length ? _input[_at] : (byte)0;
            byte[] header = ReadHeader("bulk count");
            if (first != '$')
            {
                throw new FormatException($"expected '$', got '{(char)first}'");
            }

            if (!IsInteger(header[1..], out long length) || length is < 0 or > RespParser.MaxBulkLength)
            {
                throw new FormatException("invalid bulk length");
            }

            words.Add(Take(length));
            Take(2);
        }

        return [.. words];
    }

    private byte[] ReadHeader(string name)
    {
        int end = Array.IndexOf(_input, (byte)'\r', _at);
        if ((end < 0 ? _input.Length : end) - _at > RespParser.MaxLineLength)
        {
            throw new FormatException($"too big {name} string");
        }

        byte[] header = Take(end < 0 ? int.MaxValue : end - _at);
        Take(2);
        return header;
    }

    private byte[][] ReadLine()
    {
        int end = Array.IndexOf(_input, (byte)'\n', _at);
        if ((end < 0 ? _input.Length : end) - _at > RespParser.MaxLineLength)
        {
            throw new FormatException("too big inline request");
        }

        byte[] line = Take(end < 0 ? int.MaxValue : end + 1 - _at)[..^1];
        return Split(line is [.. byte[] text, 13] ? text : line)
            ?? throw new FormatException("unbalanced quotes in request");
    }

    private byte[] Take(long count)
    {
        if (count > _input.Length - _at)
        {
            throw new EndOfStreamException();
        }

        byte[] taken = _input[_at..(_at + (int)count)];
        _at += (int)count;
        return taken;
    }

    [GeneratedRegex(@"^(0|-?[1-9][0-9]*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex IntegerForm();
}
