namespace SelectReactor.Tls;

/// <summary>Follows the records of a TLS stream (RFC 8446, section 5.1) by their headers, which are not encrypted: to
/// know whether its bytes so far end with a whole record, and whether there was more than data.</summary>
internal struct RecordBoundary
{
    private const int HeaderBytes = 5;
    private const byte Handshake = 22;
    private const byte Data = 23;

    /// <summary>The type of the content and the tag, which a record of TLS 1.3 has beside its data, unless it is
    /// padded.</summary>
    private const int OverheadOfTls13 = 1 + 16;
    private int _header;
    private int _rest;

    /// <summary>Whether the bytes so far are whole records.</summary>
    public readonly bool IsAtEnd => _header == 0 && _rest == 0;

    /// <summary>Whether a record with a handshake message that is not encrypted has begun since this was set to
    /// false.</summary>
    public bool SawHandshake { get; set; }

    /// <summary>Whether a record that does not look like data has begun since this was set to false. In TLS 1.3 all
    /// look like data.</summary>
    public bool SawOther { get; set; }

    /// <summary>The data in the records that have begun since this was set to zero, if all of them are data of TLS
    /// 1.3 without padding. Otherwise it is more than there is.</summary>
    public long MaxData { get; set; }

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
                    SawOther |= bytes[0] != Data;
                    break;
                case 3:
                    _rest = bytes[0] << 8;
                    break;
                case HeaderBytes - 1:
                    _rest |= bytes[0];
                    MaxData += _rest - OverheadOfTls13;
                    _header = 0;
                    break;
            }

            bytes = bytes[1..];
        }
    }
}
