namespace KeyValueServer;

/// <summary>Splits a line that a person typed into words. Quotes keep spaces together, and double ones know
/// escapes.</summary>
internal sealed class InlineSplitter
{
    private byte[] _text = new byte[128];
    private int _written;

    /// <summary>The words of the last line, unescaped, one behind the other.</summary>
    public ReadOnlySpan<byte> Text => _text.AsSpan(0, _written);

    /// <returns>False when a quote is not closed, or when something follows the closing one without a space.</returns>
    public bool TrySplit(ReadOnlySpan<byte> line, ref ArgumentList words)
    {
        if (_text.Length < line.Length)
        {
            _text = new byte[line.Length];
        }

        _written = 0;
        line = line.IndexOf((byte)0) is >= 0 and int end ? line[..end] : line;
        for (line = line.TrimStart(" \t\n\v\f\r"u8); !line.IsEmpty; line = line.TrimStart(" \t\n\v\f\r"u8))
        {
            int start = _written;
            if (!TryReadWord(ref line))
            {
                return false;
            }

            words.Add(start, _written - start);
        }

        return true;
    }

    private bool TryReadWord(ref ReadOnlySpan<byte> line)
    {
        while (line is [not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'), ..])
        {
            byte next = Take(ref line, 1);
            if (next is (byte)'"' or (byte)'\'')
            {
                return TryReadQuoted(next, ref line)
                    && line is [] or [(byte)' ' or (>= (byte)'\t' and <= (byte)'\r'), ..];
            }

            _text[_written++] = next;
        }

        return true;
    }

    private bool TryReadQuoted(byte quote, ref ReadOnlySpan<byte> line)
    {
        while (!line.IsEmpty && line[0] != quote)
        {
            _text[_written++] = quote == (byte)'"' ? TakeEscaped(ref line) : TakeLiteral(ref line);
        }

        if (line.IsEmpty)
        {
            return false;
        }

        Take(ref line, 1);
        return true;
    }

    private static byte TakeLiteral(ref ReadOnlySpan<byte> line) =>
        Take(ref line, line is [(byte)'\\', (byte)'\'', ..] ? 2 : 1);

    private static byte TakeEscaped(ref ReadOnlySpan<byte> line)
    {
        if (line is [(byte)'\\', (byte)'x', byte high, byte low, ..] && IsHex(high) && IsHex(low))
        {
            Take(ref line, 4);
            return Convert.ToByte($"{(char)high}{(char)low}", 16);
        }

        if (line is not [(byte)'\\', _, ..])
        {
            return Take(ref line, 1);
        }

        byte escaped = Take(ref line, 2);
        return escaped switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'b' => (byte)'\b',
            (byte)'a' => (byte)'\a',
            _ => escaped,
        };
    }

    private static bool IsHex(byte digit) => char.IsAsciiHexDigit((char)digit);

    /// <returns>The last of the bytes taken.</returns>
    private static byte Take(ref ReadOnlySpan<byte> line, int count)
    {
        byte last = line[count - 1];
        line = line[count..];
        return last;
    }
}
