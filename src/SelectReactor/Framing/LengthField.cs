namespace SelectReactor;

/// <summary>How a length is written. All are unsigned.</summary>
public enum LengthField
{
    /// <summary>One byte.</summary>
    Byte,

    /// <summary>Two bytes, the most significant first (network byte order).</summary>
    UInt16BigEndian,

    /// <summary>Two bytes, the least significant first.</summary>
    UInt16LittleEndian,

    /// <summary>Four bytes, the most significant first (network byte order).</summary>
    UInt32BigEndian,

    /// <summary>Four bytes, the least significant first.</summary>
    UInt32LittleEndian,

    /// <summary>Eight bytes, the most significant first (network byte order).</summary>
    UInt64BigEndian,

    /// <summary>Eight bytes, the least significant first.</summary>
    UInt64LittleEndian,

    /// <summary>One to ten bytes with seven bits each, the least significant first; the highest bit of a byte says
    /// that another one follows (LEB128, as in Protocol Buffers and MQTT).</summary>
    Varint,
}
