namespace SelectReactor.Tls;

/// <summary>Follows the records of a TLS stream (RFC 8446, section 5.1) to know whether its bytes so far end with a
/// whole record.</summary>
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

    public void Advance(ReadOnlySpan<byte> bytes)
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
