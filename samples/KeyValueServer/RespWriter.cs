using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace KeyValueServer;

/// <summary>
/// Replies of a batch of commands, written straight to the output. Memory is asked for with the first byte and not
/// before, since a connection without output holds none, and <see cref="Flush"/> tells the output once for the batch.
/// </summary>
internal ref struct RespWriter(IBufferWriter<byte> output)
{
    private const int LongestInteger = 24;
    private readonly IBufferWriter<byte> _output = output;
    private Span<byte> _room;
    private int _used;
    private long _flushed;

    /// <summary>Bytes since the batch began.</summary>
    public readonly long Written => _flushed + _used;

    /// <summary>Whether the connection closes once this is sent.</summary>
    public bool IsLast { get; set; }

    public void Flush()
    {
        if (_used > 0)
        {
            _output.Advance(_used);
            _flushed += _used;
            _used = 0;
            _room = default;
        }
    }

    public void Ok() => Raw("+OK\r\n"u8);

    public void Null() => Raw("$-1\r\n"u8);

    public void NullArray() => Raw("*-1\r\n"u8);

    public void Integer(long value) => Number((byte)':', value);

    /// <summary>The beginning of an array; its elements are the next replies.</summary>
    public void Array(long count) => Number((byte)'*', count);

    public void Bulk(scoped ReadOnlySpan<byte> bytes)
    {
        Number((byte)'$', bytes.Length);
        Raw(bytes);
        Raw("\r\n"u8);
    }

    /// <summary>An error: a code in capitals, a space and a text.</summary>
    public void Error(scoped ReadOnlySpan<byte> text)
    {
        Raw("-"u8);
        Raw(text);
        Raw("\r\n"u8);
    }

    /// <summary>An error whose text quotes the client, byte for byte; line ends would break the protocol and become
    /// spaces.</summary>
    public void Error(string text) => Error(Encoding.Latin1.GetBytes(text.Replace('\r', ' ').Replace('\n', ' ')));

    /// <summary>Bytes that are a reply, or a part of one, already.</summary>
    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > _room.Length - _used)
        {
            int fitting = _room.Length - _used;
            bytes[..fitting].CopyTo(_room[_used..]);
            _used += fitting;
            bytes = bytes[fitting..];
            Grow(1);
        }

        bytes.CopyTo(_room[_used..]);
        _used += bytes.Length;
    }

    private void Number(byte kind, long value)
    {
        if (_room.Length - _used < LongestInteger)
        {
            Grow(LongestInteger);
        }

        Span<byte> line = _room[_used..];
        line[0] = kind;
        Utf8Formatter.TryFormat(value, line[1..], out int digits);
        line[digits + 1] = (byte)'\r';
        line[digits + 2] = (byte)'\n';
        _used += digits + 3;
    }

    private void Grow(int size)
    {
        Flush();
        _room = _output.GetSpan(size);
    }
}
