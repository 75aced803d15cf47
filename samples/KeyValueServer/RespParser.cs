using System.Buffers.Text;

namespace KeyValueServer;

/// <summary>What became of an attempt to parse a command.</summary>
internal enum ParseStatus
{
    /// <summary>There is one, possibly an empty one, that is not to be answered.</summary>
    Complete,

    /// <summary>Its end is still to come.</summary>
    Incomplete,

    /// <summary>It breaks the protocol, and where the next one begins can't be known.</summary>
    Invalid,
}

/// <summary>
/// Commands as RESP2 writes them: arrays of bulk strings, which programs send, and plain lines, which people type. A
/// long command is parsed as it arrives, each byte of it once, and memory is taken only for what has arrived, up to
/// the limits here.
/// </summary>
/// <param name="splitter">Splits the lines; one serves all the parsers of a thread.</param>
internal sealed class RespParser(InlineSplitter splitter)
{
    public const int MaxLineLength = 64 * 1024;
    public const int MaxBulkLength = 16 * 1024 * 1024;
    public const int MaxArguments = 1024 * 1024;
    private ArgumentList _arguments;
    private bool _isLine;
    private long _bulksLeft;

    /// <summary>How much of the command under way is parsed already; zero between two commands.</summary>
    public int Position { get; private set; }

    /// <summary>How long the command must be before there is something new to see in it.</summary>
    public int Needed { get; private set; } = 1;

    /// <summary>How long the command was that is complete.</summary>
    public int Length { get; private set; }

    /// <summary>What is wrong with the invalid command, in the words of Redis.</summary>
    public string Error { get; private set; } = string.Empty;

    /// <summary>Parses the next command, or goes on with the one under way.</summary>
    /// <param name="input">What has arrived of the command, from <see cref="Position"/> on; more may follow
    /// it.</param>
    public ParseStatus Parse(ReadOnlySpan<byte> input)
    {
        ParseStatus status = Position > 0 ? ParseBulks(input, 0) : Begin(input);
        if (status == ParseStatus.Complete)
        {
            Position = 0;
            Needed = 1;
        }

        return status;
    }

    /// <summary>The command that is complete, until the next one is parsed.</summary>
    /// <param name="command">All its bytes, or more.</param>
    public Request Request(ReadOnlySpan<byte> command) => new(_isLine ? splitter.Text : command, _arguments.Items);

    /// <summary>A whole number in the only form that Redis accepts: no sign but a minus, no zeros in front.</summary>
    public static bool TryParseInteger(ReadOnlySpan<byte> text, out long value)
    {
        ReadOnlySpan<byte> digits = text is [(byte)'-', ..] ? text[1..] : text;
        value = 0;
        return (digits is [>= (byte)'1' and <= (byte)'9', ..] || text is [(byte)'0'])
            && Utf8Parser.TryParse(text, out value, out int used)
            && used == text.Length;
    }

    private ParseStatus Begin(ReadOnlySpan<byte> input)
    {
        _arguments.Clear();
        _isLine = input is not [(byte)'*', ..];
        return _isLine ? ParseLine(input) : ParseArray(input);
    }

    private ParseStatus ParseArray(ReadOnlySpan<byte> input)
    {
        int next = 0;
        ParseStatus status = ReadHeader(input, ref next, "mbulk count", out ReadOnlySpan<byte> header);
        if (status != ParseStatus.Complete)
        {
            return status;
        }

        return TryParseInteger(header[1..], out _bulksLeft) && _bulksLeft <= MaxArguments
            ? ParseBulks(input, next)
            : Fail("invalid multibulk length");
    }

    private ParseStatus ParseBulks(ReadOnlySpan<byte> input, int next)
    {
        for (; _bulksLeft > 0; _bulksLeft--)
        {
            ParseStatus status = ParseBulk(input, ref next);
            if (status != ParseStatus.Complete)
            {
                return status;
            }
        }

        Length = Position + next;
        return next <= input.Length ? ParseStatus.Complete : Wait(next, next);
    }

    // The string itself may still be on its way: the next header is looked for behind it.
    private ParseStatus ParseBulk(ReadOnlySpan<byte> input, ref int next)
    {
        int start = next;
        ParseStatus status = ReadHeader(input, ref next, "bulk count", out ReadOnlySpan<byte> header);
        if (status != ParseStatus.Complete)
        {
            return status;
        }

        if (header is not [(byte)'$', .. ReadOnlySpan<byte> number])
        {
            return Fail($"expected '$', got '{(char)input[start]}'");
        }

        if (!TryParseInteger(number, out long length) || length is < 0 or > MaxBulkLength)
        {
            return Fail("invalid bulk length");
        }

        _arguments.Add(Position + next, (int)length);
        next += (int)length + 2;
        return ParseStatus.Complete;
    }

    // As Redis does, take the byte after CR for the LF that it should be.
    private ParseStatus ReadHeader(ReadOnlySpan<byte> input, ref int next, string name, out ReadOnlySpan<byte> header)
    {
        header = default;
        if (next > input.Length)
        {
            return Wait(next, next);
        }

        ReadOnlySpan<byte> rest = input[next..];
        int end = rest.IndexOf((byte)'\r');
        if ((end < 0 ? rest.Length : end) > MaxLineLength)
        {
            return Fail($"too big {name} string");
        }

        if (end < 0 || end + 1 == rest.Length)
        {
            return Wait(next, input.Length + 1);
        }

        header = rest[..end];
        next += end + 2;
        return ParseStatus.Complete;
    }

    private ParseStatus ParseLine(ReadOnlySpan<byte> input)
    {
        int end = input.IndexOf((byte)'\n');
        if ((end < 0 ? input.Length : end) > MaxLineLength)
        {
            return Fail("too big inline request");
        }

        if (end < 0)
        {
            return Wait(0, input.Length + 1);
        }

        Length = end + 1;
        ReadOnlySpan<byte> line = input[..end];
        return splitter.TrySplit(line is [.. ReadOnlySpan<byte> text, (byte)'\r'] ? text : line, ref _arguments)
            ? ParseStatus.Complete
            : Fail("unbalanced quotes in request");
    }

    private ParseStatus Wait(int next, int needed)
    {
        Needed = Position + needed;
        Position += next;
        return ParseStatus.Incomplete;
    }

    private ParseStatus Fail(string error)
    {
        Error = error;
        return ParseStatus.Invalid;
    }
}
