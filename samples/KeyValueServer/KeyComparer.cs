using System.Runtime.InteropServices;

namespace KeyValueServer;

/// <summary>
/// Compares keys by their bytes, and lets them be looked up by a slice of the input. Hashes depend on a secret of the
/// process, the one that protects strings, so that nobody can choose keys that all fall into one bucket.
/// </summary>
internal sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static KeyComparer Instance { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        int hash = string.GetHashCode(MemoryMarshal.Cast<byte, char>(alternate));
        return alternate.Length % 2 == 0 ? hash : HashCode.Combine(hash, alternate[^1]);
    }

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
