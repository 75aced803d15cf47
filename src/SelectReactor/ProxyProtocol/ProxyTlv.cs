using System.Text;

namespace SelectReactor;

/// <summary>A fact about the client in a PROXY header of version 2: a type, a length of two bytes, and a
/// value.</summary>
public readonly struct ProxyTlv
{
    /// <summary>A fact as bytes.</summary>
    /// <param name="type">What it tells.</param>
    /// <param name="value">Up to 65,535 bytes, and up to 128 for a <see cref="ProxyTlvType.UniqueId"/>. It is not
    /// copied.</param>
    /// <exception cref="ArgumentException">The value is too long.</exception>
    public ProxyTlv(ProxyTlvType type, ReadOnlyMemory<byte> value)
    {
        int max = type == ProxyTlvType.UniqueId ? MaxUniqueIdBytes : ushort.MaxValue;
        if (value.Length > max)
        {
            throw new ArgumentException(
                $"A value of type {type} may have {max} bytes, not {value.Length}.", nameof(value));
        }

        Type = type;
        Value = value;
    }

    /// <summary>A fact as text, which is written in UTF-8.</summary>
    /// <inheritdoc cref="ProxyTlv(ProxyTlvType, ReadOnlyMemory{byte})"/>
    public ProxyTlv(ProxyTlvType type, string value)
        : this(type, Encoding.UTF8.GetBytes(value))
    {
    }

    internal const int MaxUniqueIdBytes = 128;

    /// <summary>What it tells.</summary>
    public ProxyTlvType Type { get; }

    /// <summary>The value.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>The type, and the value as hexadecimal digits.</summary>
    public override string ToString() => $"{Type}: {Convert.ToHexString(Value.Span)}";
}
