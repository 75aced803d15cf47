namespace SelectReactor.Tests.Fuzzing;

/// <summary>Checks that bytes are replies of RESP2, as a strict client reads them.</summary>
internal static class ReplyReader
{
    /// <summary>How many replies these bytes are, exactly.</summary>
    public static int Count(ReadOnlySpan<byte> bytes)
    {
        int count = 0;
        for (; !bytes.IsEmpty; count++)
        {
            Skip(ref bytes);
        }

        return count;
    }

    private static void Skip(ref ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOfAny((byte)'\r', (byte)'\n');
        Fuzz.Require(end > 0 && bytes[end..].StartsWith("\r\n"u8), "a reply's first line does not end in CR LF");
        byte kind = bytes[0];
        byte[] line = bytes[1..end].ToArray();
        bytes = bytes[(end + 2)..];
        if (kind is (byte)'+' or (byte)'-')
        {
            return;
        }

        Fuzz.Require(RespReference.IsInteger(line, out long number), $"not a number: {Fuzz.Show(line)}");
        switch (kind)
        {
            case (byte)':':
                break;
            case (byte)'$' when number >= 0:
                bool isWhole = bytes.Length >= number + 2 && bytes[(int)number..].StartsWith("\r\n"u8);
                Fuzz.Require(isWhole, "a bulk string has another length");
                bytes = bytes[((int)number + 2)..];
                break;
            case (byte)'*' when number >= 0:
                for (; number > 0; number--)
                {
                    Skip(ref bytes);
                }

                break;
            default:
                bool isNull = kind is (byte)'$' or (byte)'*' && number == -1;
                Fuzz.Require(isNull, $"a reply of the kind {(char)kind} and the number {number}");
                break;
        }
    }
}
