namespace SelectReactor.Tls;

/// <summary>Follows the records of a TLS stream (RFC 8446, section 5.1) by their headers, which are not encrypted: to
/// know whether its bytes so far end with a whole record, and to hand them out record by record.</summary>
internal struct RecordBoundary
{
    private const int HeaderBytes = 5;
    private const byte Handshake = 22;
    private int _header;
    private int _rest;

    /// <summary>Whether the bytes so far are whole records.</summary>
    public readonly bool IsAtEnd => _header == 0 && _rest == 0;

    /// <summary>Whether a record with a handshake message that is not encrypted has begun since this was set to
    /// false.</summary>
    public bool SawHandshake { get; set; }

    /// <summary>Moves as many bytes as fit, and none behind the record that they belong to: an engine that has more
    /// than one record deals with them all at once, and what it says of one hides the data of those before
    /// it.</summary>
    public int Take(ref CiphertextBuffer input, Span<byte> target)
    {
        int left = LeftOfRecord(input.Unread);
        int count = input.Take(target[..Math.Min(left, target.Length)]);
        Advance(target[..count]);
        return count;
    }

    /// <summary>How many of the bytes belong to the record that they begin with or go on with, as far as its length is
    /// known.</summary>
    private readonly int LeftOfRecord(ReadOnlySpan<byte> bytes)
    {
        if (_header == 0 && _rest > 0)
        {
            return _rest;
        }

        return _header == 0 && bytes.Length >= HeaderBytes
            ? HeaderBytes + ((bytes[HeaderBytes - 2] << 8) | bytes[HeaderBytes - 1])
            : HeaderBytes - _header;
    }

    private void Advance(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_header == 0 && _rest > 0)
            {
                int count = Math.Min(_rest, bytes.Length);
                _rest -= count;
                bytes = bytes[count..];
                continue;
            }

            switch (_header++)
            {
                case 0:
                    SawHandshake |= bytes[0] == Handshake;
                    break;
                case 3:
                    _rest = bytes[0] << 8;
                    break;
                case HeaderBytes - 1:
                    _rest |= bytes[0];
                    _header = 0;
                    break;
            }

            bytes = bytes[1..];
        }
    }
}
